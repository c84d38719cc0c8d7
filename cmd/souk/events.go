package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"souk/internal/platform/actor"
	"souk/internal/platform/bus"
	"souk/internal/platform/config"
	"souk/internal/platform/control"
)

// byCommandLine is who acts when a command does.
func byCommandLine() actor.Actor { return actor.System("") }

// eventsIn names what an events command is about.
type eventsIn struct {
	Subscriber string `json:"subscriber"`
	Key        string `json:"key"`
	All        bool   `json:"all"`
	After      int64  `json:"after"`
	Limit      int    `json:"limit"`
	To         int64  `json:"to"`
	Why        string `json:"why"`
}

func (in eventsIn) change() bus.Change { return bus.Change{By: byCommandLine(), Why: in.Why} }

// subscribing is the module of the subscriber: its name begins with it.
func subscribing(in eventsIn) string {
	module, _, _ := strings.Cut(in.Subscriber, ".")
	return module
}

// joined is what several processes list, one after the other.
func joined[T any](all [][]T) []T { return slices.Concat(all...) }

func listingEvents() deed[none, []bus.Status] {
	return deed[none, []bus.Status]{name: "events.list", merge: joined[bus.Status], do: func(ctx context.Context, a *app, _ none, _ control.Say) ([]bus.Status, error) {
		return a.bus.List(ctx)
	}}
}

func showingEvents() deed[eventsIn, []bus.Parked] {
	return deed[eventsIn, []bus.Parked]{name: "events.show", about: subscribing, do: func(ctx context.Context, a *app, in eventsIn, _ control.Say) ([]bus.Parked, error) {
		return a.bus.Show(ctx, in.Subscriber, in.After, in.Limit)
	}}
}

func retryingEvents() deed[eventsIn, bus.Drained] {
	return deed[eventsIn, bus.Drained]{name: "events.retry", about: subscribing, do: func(ctx context.Context, a *app, in eventsIn, _ control.Say) (bus.Drained, error) {
		if in.All {
			return a.bus.RetryAll(ctx, in.Subscriber, in.change())
		}
		return a.bus.Retry(ctx, in.Subscriber, in.Key, in.change())
	}}
}

func skippingEvents() deed[eventsIn, bus.Drained] {
	return deed[eventsIn, bus.Drained]{name: "events.skip", about: subscribing, do: func(ctx context.Context, a *app, in eventsIn, _ control.Say) (bus.Drained, error) {
		return a.bus.Skip(ctx, in.Subscriber, in.Key, in.change())
	}}
}

func replayingEvents() deed[eventsIn, none] {
	return deed[eventsIn, none]{name: "events.replay", about: subscribing, do: func(ctx context.Context, a *app, in eventsIn, _ control.Say) (none, error) {
		return none{}, a.bus.Replay(ctx, in.Subscriber, in.To, in.change())
	}}
}

func eventsCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "events", Short: "Look after events that could not be applied",
		Long: "Every module keeps a log of what happened in it, and others follow it. An event that a follower\n" +
			"cannot apply is parked, with every later one of its key; the rest goes on.",
		Example: "  souk events list\n  souk events show search.catalog\n  souk events retry search.catalog --all",
	}
	cmd.AddCommand(eventsListCommand(w), eventsShowCommand(w), eventsRetryCommand(w), eventsSkipCommand(w), eventsReplayCommand(w))
	return cmd
}

func eventsListCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Say where every subscriber stands", Example: "  souk events list --data ./data", Args: cobra.NoArgs,
	}
	data := addData(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := listingEvents().ask(cmd.Context(), w, *data, none{})
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(t, "SUBSCRIBER\tLOG\tSTATE\tPOSITION\tLAG\tAPPLIED\tSKIPPED\tPARKED\tERROR") // Flush says what went wrong
		for _, s := range all {
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", s.Subscriber, s.Log, s.State, s.Position, s.Lag, s.Applied, s.Skipped, s.Parked, s.Error)
		}
		return t.Flush()
	}
	return cmd
}

func eventsShowCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show SUBSCRIBER", Short: "Show what a subscriber has parked", Example: "  souk events show search.catalog --limit 5", Args: exactly(1),
	}
	data := addData(cmd)
	after := cmd.Flags().Int64("after", 0, "show those after this position")
	limit := cmd.Flags().Int("limit", 20, "show so many at most")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *after < 0 || *limit < 1 {
			return config.Mistakef("--after is 0 at least, and --limit 1")
		}
		parked, err := showingEvents().ask(cmd.Context(), w, *data, eventsIn{Subscriber: args[0], After: *after, Limit: *limit})
		if err != nil {
			return err
		}
		if len(parked) == 0 {
			_, err := fmt.Fprintln(w.stdout, "nothing is parked")
			return err
		}
		for _, p := range parked {
			reason := p.Error
			if reason == "" {
				reason = "waits behind an earlier event of its key"
			}
			if _, err := fmt.Fprintf(w.stdout, "%d  %s  %s  parked %s after %d tries\n    %s\n    %s\n", p.Position, p.Name, p.Key, p.ParkedAt, p.Tries, reason, p.Body); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// addWhy gives cmd the flag --why, which goes into the audit log.
func addWhy(cmd *cobra.Command) *string {
	return cmd.Flags().String("why", "", "why, for the audit log")
}

func eventsRetryCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "retry SUBSCRIBER [KEY]", Short: "Apply parked events again, in order",
		Example: "  souk events retry search.catalog lst_01k5xk3v8dtq6c9m4j0e7r2a1b\n  souk events retry search.catalog --all", Args: between(1, 2),
	}
	data, why := addData(cmd), addWhy(cmd)
	all := cmd.Flags().Bool("all", false, "every key of the subscriber")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in := eventsIn{Subscriber: args[0], All: *all, Why: *why}
		if (len(args) == 2) == *all {
			return config.Mistakef("name a key, or say --all")
		}
		if len(args) == 2 {
			in.Key = args[1]
		}
		return w.drained(retryingEvents().ask(cmd.Context(), w, *data, in))
	}
	return cmd
}

func eventsSkipCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "skip SUBSCRIBER KEY", Short: "Drop the first parked event of a key for ever, and go on with those behind it",
		Example: "  souk events skip search.catalog lst_01k5xk3v8dtq6c9m4j0e7r2a1b --why 'listing was made by a bug'", Args: exactly(2),
	}
	data, why := addData(cmd), addWhy(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *why == "" {
			return config.Mistakef("say why with --why: an event dropped is gone for ever")
		}
		return w.drained(skippingEvents().ask(cmd.Context(), w, *data, eventsIn{Subscriber: args[0], Key: args[1], Why: *why}))
	}
	return cmd
}

func (w *world) drained(d bus.Drained, err error) error {
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w.stdout, "applied %d, skipped %d, still parked %d\n", d.Applied, d.Skipped, d.Left); err != nil {
		return err
	}
	if d.Left > 0 && d.Error != "" {
		return fmt.Errorf("an event failed once more: %s", d.Error)
	}
	return nil
}

func eventsReplayCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "replay SUBSCRIBER POSITION", Short: "Put a subscriber back to a position, so that it hears what came after once more",
		Long: "The subscriber's handlers must bear hearing events again. To build the search index anew, use\n" +
			"`souk search rebuild` instead.",
		Example: "  souk events replay accounts.sellers 0 --why 'roles were lost'", Args: exactly(2),
	}
	data, why := addData(cmd), addWhy(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		to, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil || to < 0 {
			return config.Mistakef("%s is not a position", args[1])
		}
		if *why == "" {
			return config.Mistakef("say why with --why")
		}
		if _, err := replayingEvents().ask(cmd.Context(), w, *data, eventsIn{Subscriber: args[0], To: to, Why: *why}); err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.stdout, "%s goes on after position %d\n", args[0], to)
		return err
	}
	return cmd
}

// exactly and between are cobra's own checks, as mistakes of whoever typed.
func exactly(n int) cobra.PositionalArgs { return between(n, n) }

func between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return misused(cmd)
		}
		return nil
	}
}

// misused is the mistake of who gives a command too few arguments or too many.
func misused(cmd *cobra.Command) error {
	return config.Mistakef("usage: %s (see --help)", cmd.UseLine())
}
