package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"souk/internal/platform/control"
	"souk/internal/platform/id"
	"souk/internal/search"
)

func rebuilding() deed[none, search.RebuildReply] {
	return deed[none, search.RebuildReply]{name: "search.rebuild", about: of[none]("search"), do: func(ctx context.Context, a *app, _ none, say control.Say) (search.RebuildReply, error) {
		if !a.serving.Load() {
			// What was published since the last start is heard first, or would be heard again.
			if err := a.bus.Drain(ctx); err != nil {
				return search.RebuildReply{}, err
			}
		}
		return a.search.RebuildWith(ctx, search.RebuildRequest{By: byCommandLine(), Key: id.New("reb_")}, func(done int64) {
			say("%d listings", done)
		})
	}}
}

func searchCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{Use: "search", Short: "Look after the search index", Example: "  souk search rebuild --data ./data\n  souk search rules list"}
	rebuild := &cobra.Command{
		Use: "rebuild", Short: "Build the search index anew from the catalogue, while searches go on",
		Example: "  souk search rebuild --data ./data", Args: cobra.NoArgs,
	}
	data := addData(rebuild)
	rebuild.RunE = func(cmd *cobra.Command, _ []string) error {
		reply, err := rebuilding().ask(cmd.Context(), w, *data, none{})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.stdout, "%d listings indexed in %d ms\n", reply.Listings, reply.Millis)
		return err
	}
	cmd.AddCommand(rebuild, searchEvalCommand(w), rulesCommand(w), searchExplainCommand(w))
	return cmd
}
