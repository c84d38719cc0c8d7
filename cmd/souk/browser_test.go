package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tab is a page of a headless Chromium that a person works with.
type tab struct {
	ctx context.Context
	t   *testing.T
}

// browse opens a tab. Where there is no Chromium the test says so and is skipped, but not in CI.
func browse(t *testing.T) *tab {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has no chromium to buy with")
		}
		t.Skip("there is no chromium to buy with: install Debian's package chromium to run this journey")
	}
	ctx, cancel := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true)))
	t.Cleanup(cancel)
	return &tab{ctx: ctx, t: t}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, steps...))
}

// until waits, frame by frame, for an expression to be true on the page or on one that follows it. A page
// that has only begun to arrive has no body yet.
func (b *tab) until(expression string) {
	b.t.Helper()
	for {
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](
			`new Promise((done, fail) => { let n = 0; const look = () => document.body && (`+expression+`) ? done(true) : ++n > 60*300 ? fail(new Error("never: " + document.title + " " + location + " " + document.body?.innerText.slice(0, 500))) : requestAnimationFrame(look); look() })`,
			chromedp.EvalAwaitPromise))
		if err != nil && (strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "context")) && b.ctx.Err() == nil {
			continue // the page went away while it was looked at: look at the next
		}
		require.NoError(b.t, err, expression)
		return
	}
}

// fill types into the fields of a form by their names.
func (b *tab) fill(fields map[string]string) {
	b.t.Helper()
	for name, text := range fields {
		field := `main [name="` + name + `"]:not([type=hidden])`
		b.do(chromedp.WaitVisible(field), chromedp.SetValue(field, text))
	}
}

// payButton is the one that says the amount.
const payButton = `document.querySelector("#checkout-form button.button-main, button.button-main[form=checkout-form]")`

// TestBrowserBuysFromTwoSellers finds things by searching, puts goods of two sellers into one
// cart, and pays once, as a guest, in a real browser.
func TestBrowserBuysFromTwoSellers(t *testing.T) {
	b := browse(t)
	s := open(t)
	b.do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(s.url+"/"))
	for _, what := range []string{"Lamps", "Mugs"} {
		b.do(chromedp.Navigate(s.url+"/search?q="+what+"+thing+1"), chromedp.WaitVisible(`main a[href^="/l/"]`), chromedp.Click(`main a[href^="/l/"]`))
		b.until(`location.pathname.startsWith("/l/") && document.readyState === "complete"`)
		b.do(chromedp.Click(`main form[action="/cart/lines"] button[type=submit], main form[action="/cart/lines"] button:not([type])`))
		b.until(`document.querySelector("main").innerText.includes("Added to the cart")`)
	}
	b.do(chromedp.Navigate(s.url + "/cart"))
	b.until(`document.body.innerText.includes("Lamps thing 1") && document.body.innerText.includes("Mugs thing 1")`)
	b.do(chromedp.Navigate(s.url+"/checkout"), chromedp.WaitVisible(`main form`))
	b.fill(map[string]string{
		"email": "ada@example.com", "name": "Ada Example", "line1": "Hafenstraße 1", "postal_code": "24103", "city": "Kiel",
	})
	before, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](payButton+`.innerText`))
	require.NoError(t, err)
	b.do(chromedp.SetValue(`main [name="country"]`, "DE"))
	_, err = chromedp.Run(b.ctx, chromedp.Evaluate[bool](`document.querySelector('main [name="country"]').dispatchEvent(new Event("change", {bubbles: true}))`))
	require.NoError(t, err)
	b.until(payButton + `.innerText !== ` + strconv.Quote(before)) // the amount now has shipping in it
	_, err = chromedp.Run(b.ctx, chromedp.Evaluate[int](payButton+`.click(), 1`))
	require.NoError(t, err)
	b.until(`document.body.innerText.match(/[0-9A-Z]{4}-[0-9A-Z]{4}/) && document.body.innerText.includes("Lamps thing 1") && document.body.innerText.includes("Mugs thing 1")`)
	s.sound(t)
}
