package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"souk/internal/accounts"
	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/id"
)

type adminIn struct {
	Email    string `json:"email"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

type adminOut struct {
	Person  accounts.PersonID `json:"person"`
	Existed bool              `json:"existed"`
}

// creatingAdmin makes an operator, or makes one of somebody who has registered already.
func creatingAdmin() deed[adminIn, adminOut] {
	return deed[adminIn, adminOut]{name: "admin.create", begins: true, about: of[adminIn]("accounts"), do: func(ctx context.Context, a *app, in adminIn, _ control.Say) (adminOut, error) {
		var out adminOut
		session := sha256.Sum256([]byte(rand.Text())) // nobody has its secret: it is never used
		_, err := a.ask.accounts.Register(ctx, accounts.RegisterRequest{
			Key: id.New("cmd_"), Email: in.Email, Name: in.Name, Password: in.Password, Session: hex.EncodeToString(session[:]), Agent: "souk admin create",
		})
		if errors.Is(err, accounts.ErrEmailTaken) {
			out.Existed, err = true, nil
		}
		if err != nil {
			return out, err
		}
		reply, err := a.ask.accounts.GrantRole(ctx, accounts.GrantRoleRequest{
			By: byCommandLine(), Key: id.New("cmd_"), Email: in.Email, Role: accounts.Role{Kind: accounts.RoleOperator},
		})
		out.Person = reply.Person.ID
		return out, err
	}}
}

type pauseIn struct {
	Paused bool   `json:"paused"`
	Why    string `json:"why"`
}

func pausing() deed[pauseIn, none] {
	return deed[pauseIn, none]{name: "admin.pause_payments", about: of[pauseIn]("payments"), do: func(ctx context.Context, a *app, in pauseIn, _ control.Say) (none, error) {
		if in.Paused {
			return none{}, a.payments.Pause(ctx, byCommandLine(), in.Why)
		}
		return none{}, a.payments.Resume(ctx, byCommandLine(), in.Why)
	}}
}

func adminCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "admin", Short: "Make operators; pause and resume payments",
		Example: "  souk admin create --email olive@example.com --name Olive\n  souk admin resume-payments",
	}
	cmd.AddCommand(adminCreateCommand(w),
		pauseCommand(w, "pause-payments", "Take, capture and refund nothing until resumed", true),
		pauseCommand(w, "resume-payments", "Go on with payments after a pause or a restore", false))
	return cmd
}

func adminCreateCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "create", Short: "Make an operator, the first one or another",
		Long: "Registers a person with the e-mail address and makes it an operator. Without --password-stdin the\n" +
			"password is random and printed once. Somebody who has registered already keeps the password.",
		Example: "  souk admin create --email olive@example.com --name Olive\n  pass souk | souk admin create --email olive@example.com --name Olive --password-stdin",
		Args:    cobra.NoArgs,
	}
	data := addData(cmd)
	email := cmd.Flags().String("email", "", "e-mail `ADDRESS` to sign in with")
	name := cmd.Flags().String("name", "Operator", "what to call the person")
	stdin := cmd.Flags().Bool("password-stdin", false, "read the password from the first line of standard input")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *email == "" {
			return config.Mistakef("say who, with --email")
		}
		in := adminIn{Email: *email, Name: *name, Password: rand.Text()[:20]}
		if *stdin {
			line, err := bufio.NewReader(w.stdin).ReadString('\n')
			in.Password = strings.TrimRight(line, "\r\n")
			if in.Password == "" {
				return config.Mistakef("there is no password on standard input: %v", err)
			}
		}
		out, err := creatingAdmin().ask(cmd.Context(), w, *data, in)
		if err != nil {
			return err
		}
		switch {
		case out.Existed:
			_, err = fmt.Fprintf(w.stdout, "%s is an operator now, with the password as before\n", *email)
		case *stdin:
			_, err = fmt.Fprintf(w.stdout, "%s is an operator now\n", *email)
		default:
			_, err = fmt.Fprintf(w.stdout, "%s is an operator now, with the password %s\n", *email, in.Password)
		}
		return err
	}
	return cmd
}

func pauseCommand(w *world, use, says string, paused bool) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: says, Example: "  souk admin " + use + " --why 'reconciled with the provider'", Args: cobra.NoArgs}
	data, why := addData(cmd), addWhy(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if _, err := pausing().ask(cmd.Context(), w, *data, pauseIn{Paused: paused, Why: *why}); err != nil {
			return err
		}
		word := "go on"
		if paused {
			word = "are paused"
		}
		_, err := fmt.Fprintf(w.stdout, "payments %s\n", word)
		return err
	}
	return cmd
}
