package storefront_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/storefront"
	"souk/internal/storefront/tile"
	"souk/internal/storefront/views"
)

// gallery serves every sample page at /gallery/<name>, as the shop would.
func gallery(t *testing.T) *httptest.Server {
	t.Helper()
	r, all := newRenderer(t), samples()
	mux := http.NewServeMux()
	mux.Handle(views.PathAssetPrefix, r.Assets())
	mux.HandleFunc("/picture.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = w.Write([]byte(tile.File(200, "A picture")))
	})
	page := func(w http.ResponseWriter, req *http.Request) {
		v, ok := all[req.PathValue("name")]
		if !ok {
			http.NotFound(w, req)
			return
		}
		w.Header().Set("Content-Security-Policy", storefront.ContentPolicy)
		if err := r.Render(w, req, http.StatusOK, v); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
	show := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			req.SetPathValue("name", name)
			page(w, req)
		}
	}
	mux.HandleFunc("/gallery/{name}", page)
	slow := make(chan struct{})
	mux.HandleFunc("GET /let-go", func(_ http.ResponseWriter, req *http.Request) {
		select {
		case slow <- struct{}{}:
		case <-req.Context().Done():
		}
	})
	mux.HandleFunc("GET /search", func(w http.ResponseWriter, req *http.Request) {
		if req.FormValue("in") == "br" {
			select {
			case <-slow:
			case <-req.Context().Done():
			}
		}
		if req.Header.Get("HX-Request") != "" && req.FormValue("min") == "13" {
			http.Error(w, "not now", http.StatusInternalServerError)
			return
		}
		show("search")(w, req)
	})
	mux.HandleFunc("GET /search/suggest", show("suggestions"))
	mux.HandleFunc("GET /sign-in", show("sign-in"))
	mux.HandleFunc("GET /l/{listing}", show("listing"))
	mux.HandleFunc("POST /cart/lines", func(w http.ResponseWriter, req *http.Request) {
		if req.FormValue("quantity") == "1" {
			http.Redirect(w, req, "/gallery/listing-added", http.StatusSeeOther)
			return
		}
		http.Redirect(w, req, "/sign-in", http.StatusSeeOther)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// browse is a tab of a headless Chromium; without one the test is skipped, but not in CI.
func browse(t *testing.T) context.Context {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has no chromium to try the pages in")
		}
		t.Skip("there is no chromium to try the pages in: install Debian's package chromium")
	}
	ctx, cancel := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(5*time.Minute),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true)))
	t.Cleanup(cancel)
	return ctx
}

// until waits, frame by frame, for an expression to be true on the page.
func until(ctx context.Context, t *testing.T, expression string) {
	t.Helper()
	for {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](
			`new Promise((done, fail) => { let n = 0; const look = () => (`+expression+`) ? done(true) : ++n > 60*300 ? fail(new Error("never: " + document.title + " " + location)) : requestAnimationFrame(look); look() })`,
			chromedp.EvalAwaitPromise))
		if err != nil && strings.Contains(err.Error(), "navigated") {
			continue // the page went away while it was looked at: look at the next
		}
		require.NoError(t, err, expression)
		return
	}
}

// typed puts a text into the search box at once: letter by letter on a slow machine, there could be suggestions for each, of which the
// later ones take away what was chosen of those before.
func typed(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Focus(chromedp.CSS("#search-input"))))
	_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
	require.NoError(t, err)
}

func TestPagesInABrowser(t *testing.T) {
	ctx := browse(t)
	server := gallery(t)
	open := func(t *testing.T, path string) {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+path)))
		_, err := chromedp.Run(ctx, chromedp.Evaluate[int](`window.same = 1`)) // gone when the page is loaded anew
		require.NoError(t, err)
	}
	do := func(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, steps...))
	}

	t.Run("suggestions are chosen with the keyboard", func(t *testing.T) { suggestionsByKeyboard(ctx, t, open) })
	t.Run("suggestions are chosen by touch", func(t *testing.T) {
		open(t, "/gallery/home")
		typed(ctx, t, "la")
		until(ctx, t, `document.querySelectorAll("#suggestions [role=option]").length === 5 && !document.querySelector("#suggestions").hidden`)
		do(t, chromedp.Click(chromedp.CSS("#suggestion-0 .suggestion-text")))
		until(ctx, t, `location.pathname === "/search" && location.search === "?q=desk+lamp"`)
	})
	t.Run("a filter changes the results in place and the address with them", func(t *testing.T) {
		open(t, "/search?q=lamp")
		do(t, chromedp.Click(chromedp.CSS(`.facet-value[href*="Anglepoise"]`)))
		until(ctx, t, `location.search.includes("brand=Anglepoise") && window.same === 1 && document.querySelector("#live").textContent === "1,214 listings"`)
		until(ctx, t, `document.activeElement.href.includes("brand=Anglepoise")`) // the keyboard stays where it was
		do(t, chromedp.Click(chromedp.CSS(`.chip`)))
		until(ctx, t, `document.activeElement.id === "results-count" && window.same === 1`) // or goes to what changed, when that is gone
	})
	t.Run("values of a filter are found as one types, also what is typed while the answer is on its way", func(t *testing.T) {
		open(t, "/search?q=lamp")
		insert := func(text string) {
			t.Helper()
			_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
			require.NoError(t, err)
		}
		do(t, chromedp.Focus(chromedp.CSS("#facet-find")), chromedp.KeyEvent(kb.End))
		insert("r")
		until(ctx, t, `document.querySelector("#busy").classList.contains("htmx-request")`)
		insert("a")
		_, err := chromedp.Run(ctx, chromedp.Evaluate[int](`fetch("/let-go"), window.places = history.length`))
		require.NoError(t, err)
		until(ctx, t, `location.search.includes("in=bra") && window.same === 1 && document.activeElement.id === "facet-find" && history.length === window.places`)
	})
	t.Run("the sheet of filters stays where one is in it, and closes by a tap beside it", func(t *testing.T) {
		open(t, "/search?q=lamp")
		const sheet, value = `document.querySelector("#facets")`, `.facet:last-child .facet-value`
		do(t, chromedp.EmulateViewport(390, 500), chromedp.Click(chromedp.CSS("#facets > summary")))
		until(ctx, t, sheet+`.open`)
		_, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("`+value+`").scrollIntoView(), window.depth = `+sheet+`.scrollTop, window.held = document.querySelector("`+value+`").id`))
		require.NoError(t, err)
		do(t, chromedp.Click(chromedp.CSS(value)))
		until(ctx, t, `document.querySelector("#live").textContent === "1,214 listings" && window.same === 1 && window.depth > 0`)
		until(ctx, t, sheet+`.open && Math.abs(`+sheet+`.scrollTop - window.depth) < 2 && document.activeElement.id === window.held`)
		do(t, chromedp.MouseClickXY(195, 5))
		until(ctx, t, `!`+sheet+`.open && window.same === 1`)
	})
	t.Run("a form whose part cannot be fetched is sent as a page, with what was typed", func(t *testing.T) {
		open(t, "/search?q=lamp")
		_, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("form [name=min]").value = "13"`))
		require.NoError(t, err)
		_, err = chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelector("form [name=min]").form.requestSubmit(), 1`))
		require.NoError(t, err)
		until(ctx, t, `window.same !== 1 && location.pathname === "/search" && location.search.includes("min=13")`)
	})
	t.Run("adding to the cart leaves one where one is, and says so", func(t *testing.T) {
		open(t, "/gallery/listing")
		do(t, chromedp.Click(chromedp.CSS(".offer-form button")))
		until(ctx, t, `document.querySelector("#flash .flash") && document.querySelector("#live").textContent.startsWith("Added to the cart.") && window.same === 1`)
	})
	t.Run("a part that turns into another page is shown whole", func(t *testing.T) {
		open(t, "/gallery/listing")
		_, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("#quantity").value = "2"`))
		require.NoError(t, err)
		do(t, chromedp.Click(chromedp.CSS(".offer-form button")))
		until(ctx, t, `document.querySelector("h1").textContent === "Sign in" && document.querySelectorAll("main").length === 1 && location.pathname === "/sign-in"`)
	})
	t.Run("how one came to a listing leaves its address", func(t *testing.T) {
		open(t, "/l/lst_1?variant=var_2&found=3.4t9w2m6x1zqa")
		until(ctx, t, `location.search === "?variant=var_2" && window.same === 1`)
	})
	t.Run("a picture that does not load gives way to its tile, one that loads takes its place", func(t *testing.T) {
		open(t, "/gallery/listing")
		until(ctx, t, `document.querySelector(".picture-large img").hidden && document.querySelectorAll(".listing-thumbs .picture-loaded").length === 1`)
	})
	t.Run("nothing breaks the content policy", func(t *testing.T) {
		messages := chromedp.Console(ctx)
		for _, path := range []string{"/gallery/home", "/gallery/cart", "/gallery/checkout", "/gallery/seller-listings", "/gallery/operator-search"} {
			open(t, path)
		}
		_, err := chromedp.Run(ctx, chromedp.Evaluate[int](`console.log("the end"), 1`))
		require.NoError(t, err)
		for m, err := range messages {
			require.NoError(t, err)
			if m.Text == "the end" {
				break
			}
			assert.Equal(t, "network", m.Source, "the browser says: %s", m.Text) // the broken pictures
		}
	})
}

// suggestionsByKeyboard goes through the combobox pattern of WAI-ARIA, with a list to choose from.
func suggestionsByKeyboard(ctx context.Context, t *testing.T, open func(*testing.T, string)) {
	press := func(keys string) {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, chromedp.KeyEvent(keys)))
	}
	const box, list = `document.querySelector("#search-input")`, `document.querySelector("#suggestions")`
	isOpen := func(open bool) {
		t.Helper()
		until(ctx, t, fmt.Sprintf(`%s.hidden === %t && %s.getAttribute("aria-expanded") === "%t"`, list, !open, box, open))
	}
	chosen := func(id string) { // nothing by ""
		t.Helper()
		until(ctx, t, fmt.Sprintf(`(%s.getAttribute("aria-activedescendant") || "") === %q &&
			Array.from(%s.querySelectorAll("[aria-selected=true]"), o => o.id).join() === %q && document.activeElement === %s`, box, id, list, id, box))
	}
	open(t, "/gallery/home")
	until(ctx, t, box+`.getAttribute("role") === "combobox" && `+box+`.getAttribute("aria-autocomplete") === "list" &&
		document.getElementById(`+box+`.getAttribute("aria-controls")).getAttribute("role") === "listbox"`)
	isOpen(false)

	typed(ctx, t, "la")
	isOpen(true)
	until(ctx, t, `document.querySelector("#live").textContent === "5 suggestions"`)
	chosen("")
	press(kb.ArrowDown)
	chosen("suggestion-0")
	press(kb.ArrowUp)
	chosen("suggestion-4")
	press(kb.ArrowDown)
	chosen("suggestion-0")
	until(ctx, t, box+`.value === "la"`) // what was typed stays until one goes there

	press(kb.Home) // back to the text
	chosen("")
	until(ctx, t, box+`.selectionStart === 0`)
	press(kb.ArrowDown + kb.End)
	chosen("")
	until(ctx, t, box+`.selectionStart === 2`)

	press(kb.ArrowDown + kb.Escape)
	isOpen(false)
	chosen("")
	until(ctx, t, box+`.value === "la"`)
	press(kb.ArrowDown) // opens it again
	isOpen(true)
	chosen("suggestion-0")

	press(kb.Tab) // leaves it, for what comes next
	until(ctx, t, list+`.hidden && document.activeElement.getAttribute("aria-label") === "Search" && `+box+`.value === "la"`)

	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#search-input"), "m")))
	isOpen(true)
	press(kb.ArrowDown + kb.ArrowDown + kb.Enter)
	until(ctx, t, `location.pathname === "/c/home/lighting"`)

	open(t, "/gallery/home") // Enter without a choice is the form, as it is without a script
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#search-input"), "lamp")))
	isOpen(true)
	press(kb.Enter)
	until(ctx, t, `location.pathname === "/search" && location.search === "?q=lamp"`)
}
