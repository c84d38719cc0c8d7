package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/go-chi/chi/v5"

	"souk/internal/catalog"
	"souk/internal/demo"
	"souk/internal/platform/config"
	"souk/internal/platform/store"
)

// demoAccounts is the file that keeps whom one can sign in as, with the passwords.
const demoAccounts = "demo-accounts.txt"

// demoFilling marks a folder whose demo is being filled.
const demoFilling = "demo-filling"

// clearHalfDemo empties a folder in which filling the demo was cut off. Nothing but a part of
// the demo can be in it: souk does not open before the mark is gone. A database that db names is emptied by nobody
// but whoever made it.
func clearHalfDemo(dir, db string) error {
	mark := filepath.Join(dir, demoFilling)
	if _, err := os.Stat(mark); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if db != "" {
		return fmt.Errorf("filling the demo into the PostgreSQL database was cut off: drop that database and make it anew, and remove %s and search.db beside it", mark)
	}
	for _, name := range moduleNames {
		if holder := store.Holder(filepath.Join(dir, name+".db")); holder != "" {
			return fmt.Errorf("another souk is filling the demo in %s (%s)", dir, holder)
		}
	}
	for _, name := range moduleNames {
		for _, suffix := range []string{".db", ".db-wal", ".db-shm"} {
			if err := os.Remove(filepath.Join(dir, name+suffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("clear a demo that was cut off: %w", err)
			}
		}
	}
	return os.Remove(mark)
}

// demoPictures serves the drawings of the demo's goods.
func demoPictures(r chi.Router) {
	r.Method(http.MethodGet, demo.Prefix+"*", demo.Pictures())
}

// checkDemoAddress refuses a demo that others could reach: its accounts are for playing.
func checkDemoAddress(listen string, public bool) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return config.Mistakef("--listen %s is not host:port", listen)
	}
	addr, err := netip.ParseAddr(host)
	if public || host == "localhost" || err == nil && addr.IsLoopback() {
		return nil
	}
	return config.Mistakef("--demo makes accounts to play with, and %s can be reached by others; say --demo-public if that is meant", listen)
}

// fillDemo fills an empty marketplace, and says whom one can sign in as. One that has sellers
// is left as it is.
func (a *app) fillDemo(ctx context.Context, w *world) error {
	reply, err := a.ask.catalog.ListSellers(ctx, catalog.ListSellersRequest{By: byCommandLine()})
	if err != nil {
		return err
	}
	path := filepath.Join(a.dir, demoAccounts)
	if len(reply.Sellers) > 0 { // not emptied, so not cut off
		if _, err := os.Stat(path); err == nil {
			_, err := fmt.Fprintf(w.stdout, "the demo is filled already; its accounts are in %s\n", path)
			return err
		}
		return nil
	}
	mark := filepath.Join(a.dir, demoFilling)
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return fmt.Errorf("mark the demo as being filled: %w", err)
	}
	_, _ = fmt.Fprintln(w.stdout, "filling the demo marketplace …") // progress
	made, err := demo.Fill(ctx, demo.Services{Accounts: a.ask.accounts, Catalog: a.ask.catalog, Cart: a.ask.cart}, func(int, int) {})
	if err != nil {
		return fmt.Errorf("fill the demo marketplace: %w", err)
	}
	var text bytes.Buffer
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, account := range made {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", account.Role, account.Email, account.Password) // into memory
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write down the demo's accounts: %w", err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write down the demo's accounts: %w", err)
	}
	if err := a.bus.Drain(ctx); err != nil {
		return fmt.Errorf("bring the search index up to date: %w", err)
	}
	if err := os.Remove(mark); err != nil {
		return fmt.Errorf("mark the demo as filled: %w", err)
	}
	_, err = fmt.Fprintf(w.stdout, "sign in as (kept in %s):\n%s", path, text.String())
	return err
}
