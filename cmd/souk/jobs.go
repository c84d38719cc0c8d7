package main

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/job"
)

// jobsIn names what a jobs command is about.
type jobsIn struct {
	Module string    `json:"module"`
	State  job.State `json:"state"`
	Kind   string    `json:"kind"`
	Key    string    `json:"key"`
	Why    string    `json:"why"`
}

func (in jobsIn) module() string { return in.Module }

// moduleJob is a job and whose it is.
type moduleJob struct {
	Module string `json:"module"`
	job.Info
}

// maxJobs is how many jobs a list shows of each module.
const maxJobs = 200

func listingJobs() deed[jobsIn, []moduleJob] {
	return deed[jobsIn, []moduleJob]{name: "jobs.list", merge: joined[moduleJob], do: func(ctx context.Context, a *app, in jobsIn, _ control.Say) ([]moduleJob, error) {
		return a.listJobs(ctx, in)
	}}
}

func (a *app) listJobs(ctx context.Context, in jobsIn) ([]moduleJob, error) {
	var out []moduleJob
	for _, name := range a.here() {
		if in.Module != "" && in.Module != name {
			continue
		}
		found, err := job.List(ctx, a.dbs[name], job.Filter{State: in.State, Kind: in.Kind, Limit: maxJobs})
		if err != nil {
			return nil, err
		}
		for _, j := range found {
			out = append(out, moduleJob{Module: name, Info: j})
		}
	}
	return out, nil
}

func retryingJob() deed[jobsIn, none] {
	return deed[jobsIn, none]{name: "jobs.retry", about: jobsIn.module, do: func(ctx context.Context, a *app, in jobsIn, _ control.Say) (none, error) {
		return none{}, local{a}.RetryJob(ctx, byCommandLine(), in.Module, in.Kind, in.Key, in.Why)
	}}
}

func droppingJob() deed[jobsIn, none] {
	return deed[jobsIn, none]{name: "jobs.drop", about: jobsIn.module, do: func(ctx context.Context, a *app, in jobsIn, _ control.Say) (none, error) {
		return none{}, local{a}.DropJob(ctx, byCommandLine(), in.Module, in.Kind, in.Key, in.Why)
	}}
}

func jobsCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "jobs", Short: "Look after work that is still to be done",
		Long:    "Modules keep their future work as jobs. One that has failed for hours is dead and waits for a word.",
		Example: "  souk jobs list --state dead\n  souk jobs retry orders orders.checkout ord_01k5xk3v8dtq6c9m4j0e7r2a1b",
	}
	cmd.AddCommand(jobsListCommand(w),
		jobsActCommand(w, jobsAct{
			verb: "retry", says: "Have a job run again at once", done: "is due now", why: "provider is back", deed: retryingJob(),
		}),
		jobsActCommand(w, jobsAct{
			verb: "drop", says: "Forget a job for ever", done: "is forgotten", why: "made by a bug", deed: droppingJob(),
			needsWhy: "say why with --why: a job dropped is gone for ever",
		}))
	return cmd
}

func jobsListCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List jobs", Example: "  souk jobs list --state dead", Args: cobra.NoArgs}
	data := addData(cmd)
	state := cmd.Flags().String("state", "", "only these: pending, running or dead")
	name := cmd.Flags().String("module", "", "only those of this module")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !slices.Contains([]job.State{"", job.StatePending, job.StateRunning, job.StateDead}, job.State(*state)) {
			return config.Mistakef("--state is pending, running or dead")
		}
		if *name != "" && !slices.Contains(moduleNames, *name) {
			return config.Mistakef("there is no module %s", *name)
		}
		all, err := listingJobs().ask(cmd.Context(), w, *data, jobsIn{Module: *name, State: job.State(*state)})
		if err != nil {
			return err
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(w.stdout, "no jobs")
			return err
		}
		t := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(t, "MODULE\tKIND\tKEY\tSTATE\tDUE\tTRIES\tERROR") // Flush says what went wrong
		for _, j := range all {
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", j.Module, j.Kind, j.Key, j.State, j.RunAt, j.Tries, j.Error)
		}
		return t.Flush()
	}
	return cmd
}

// jobsAct is what is done with one job.
type jobsAct struct {
	verb, says, done string
	why              string // for example
	deed             deed[jobsIn, none]
	needsWhy         string // what is said to who gives no reason; "" where none is needed
}

func jobsActCommand(w *world, act jobsAct) *cobra.Command {
	cmd := &cobra.Command{
		Use: act.verb + " MODULE KIND KEY", Short: act.says, Args: exactly(3),
		Example: "  souk jobs " + act.verb + " orders orders.checkout ord_01k5xk3v8dtq6c9m4j0e7r2a1b --why '" + act.why + "'",
	}
	data, why := addData(cmd), addWhy(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains(moduleNames, args[0]) {
			return config.Mistakef("there is no module %s", args[0])
		}
		if *why == "" && act.needsWhy != "" {
			return config.Mistakef("%s", act.needsWhy)
		}
		if _, err := act.deed.ask(cmd.Context(), w, *data, jobsIn{Module: args[0], Kind: args[1], Key: args[2], Why: *why}); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w.stdout, "%s %s %s\n", args[1], args[2], act.done)
		return err
	}
	return cmd
}
