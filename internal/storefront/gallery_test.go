package storefront_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"souk/internal/storefront"
	"souk/internal/storefront/views"
)

func newRenderer(t *testing.T) *storefront.Renderer {
	t.Helper()
	keys := 0
	r, err := storefront.NewRenderer(storefront.RenderOptions{NewKey: func() string {
		keys++
		return "key_" + strconv.Itoa(keys)
	}})
	require.NoError(t, err)
	return r
}

func render(t *testing.T, r *storefront.Renderer, v views.View, header ...string) string {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	require.NoError(t, r.Render(w, req, http.StatusOK, v))
	return w.Body.String()
}

func TestEveryPageIsSoundHTML(t *testing.T) {
	t.Parallel()
	r := newRenderer(t)
	shown := map[string]bool{}
	for name, v := range samples() {
		shown[v.Template()] = true
		body := render(t, r, v)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.NotContains(t, body, "<no value>")
			assert.NotContains(t, body, "%!", "a format went wrong")
			assert.NotContains(t, body, "ZgotmplZ", "html/template refused something")
			checkNesting(t, body)
			doc, err := html.Parse(strings.NewReader(body))
			require.NoError(t, err)
			checkPage(t, doc, v.Template() != "suggestions")
		})
	}
	files, err := filepath.Glob("templates/*.html")
	require.NoError(t, err)
	for _, file := range files {
		assert.True(t, shown[strings.TrimSuffix(filepath.Base(file), ".html")], "%s has no sample; add one to samples_*_test.go", file)
	}
}

var void = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// checkNesting refuses what a parser would mend silently: an end without a beginning, an
// element left open.
func checkNesting(t *testing.T, body string) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(strings.NewReader(body))
	for {
		kind := z.Next()
		token := z.Token()
		switch kind {
		case html.ErrorToken:
			assert.Empty(t, open, "elements left open")
			return
		case html.StartTagToken:
			if !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if !assert.NotEmpty(t, open, "</%s> ends nothing", token.Data) ||
				!assert.Equal(t, open[len(open)-1], token.Data, "wrong end, within %v", open) {
				return
			}
			open = open[:len(open)-1]
		default:
		}
	}
}

// checkPage holds a page to the house's rules.
func checkPage(t *testing.T, doc *html.Node, whole bool) {
	t.Helper()
	ids, labelled := map[string]bool{}, map[string]bool{}
	var names []*html.Node
	headings := 0
	var references []string
	for _, n := range slices.Collect(doc.Descendants()) { // collected, for short traces
		if n.Type != html.ElementNode {
			continue
		}
		at := attributes(n)
		if id, ok := at["id"]; ok {
			assert.False(t, ids[id], "the id %q stands twice", id)
			assert.Regexp(t, `^[A-Za-z][A-Za-z0-9_-]*$`, id)
			ids[id] = true
		}
		for name := range at {
			assert.False(t, name == "style" || strings.HasPrefix(name, "on"), "<%s %s> is inline and the policy forbids it", n.Data, name)
		}
		for _, name := range []string{"aria-describedby", "aria-controls", "form"} {
			references = append(references, strings.Fields(at[name])...)
		}
		if href := at["href"]; strings.HasPrefix(href, "#") {
			references = append(references, href[1:])
		}
		switch n.Data {
		case "style":
			t.Errorf("an inline <style>")
		case "script":
			assert.NotEmpty(t, at["src"], "an inline <script>")
			assert.Contains(t, at, "defer")
		case "h1":
			headings++
		case "label":
			labelled[at["for"]] = true
		case "input", "select", "textarea":
			if at["type"] != "hidden" {
				names = append(names, n)
			}
		case "img":
			assert.Contains(t, at, "alt")
			assert.Regexp(t, `^[1-9]\d*$`, at["width"], "an image without a size jumps")
			assert.Regexp(t, `^[1-9]\d*$`, at["height"], "an image without a size jumps")
		case "form":
			assert.NotEmpty(t, at["action"], "a form must say where it goes")
			assert.Contains(t, []string{"get", "post"}, at["method"])
			assert.False(t, within(n, "form"), "a form within a form")
		case "a":
			assert.NotEmpty(t, at["href"], "a link to nowhere: %s", text(n))
			assert.NotEmpty(t, strings.TrimSpace(text(n)), "a link without words to %s", at["href"])
		case "button":
			assert.NotEmpty(t, strings.TrimSpace(text(n))+at["aria-label"], "a button without words")
			assert.NotEmpty(t, at["type"])
		case "td", "th":
			assert.True(t, n.Data == "td" || at["scope"] != "", "a head cell without scope")
		}
	}
	for _, n := range names {
		id := attributes(n)["id"]
		assert.True(t, id != "" && labelled[id], "<%s name=%q> has no label", n.Data, attributes(n)["name"])
	}
	for _, id := range references {
		assert.True(t, ids[id], "something points to #%s, which is not there", id)
	}
	if whole {
		assert.Equal(t, 1, headings, "a page has one h1")
	}
}

func attributes(n *html.Node) map[string]string {
	at := make(map[string]string, len(n.Attr))
	for _, a := range n.Attr {
		at[a.Key] = a.Val
	}
	return at
}

func within(n *html.Node, name string) bool {
	for p := range n.Ancestors() {
		if p.Data == name {
			return true
		}
	}
	return false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestSizesStayWithinBounds(t *testing.T) {
	t.Parallel()
	size := func(name string) int {
		info, err := os.Stat(filepath.Join("assets", name))
		require.NoError(t, err)
		return int(info.Size())
	}
	// 40 and 60 KB, of 1024 bytes each: the combobox and the histogram of prices did not fit into
	// 40,000 and 60,000.
	assert.Less(t, size("souk.css"), 40<<10, "the stylesheet")
	assert.Less(t, size("souk.js")+size("htmx.min.js"), 60<<10, "the scripts")
	r, all := newRenderer(t), samples()
	for _, name := range []string{"listing", "home", "cart", "checkout"} {
		assert.Less(t, len(render(t, r, all[name])), 50_000, name)
	}
}

// fixed finds the addresses that stand in templates as they are.
var fixed = regexp.MustCompile(`(?:href|action|formaction|hx-get|hx-post|data-suggest|"URL")(?:=| )"(/[^"{?]*)`)

func TestTemplatesNameOnlyListedAddresses(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("views/paths.go")
	require.NoError(t, err)
	var listed []string
	for _, match := range regexp.MustCompile(`= "(/[^"]*)"`).FindAllStringSubmatch(string(source), -1) {
		listed = append(listed, match[1])
	}
	files, err := filepath.Glob("templates/*.html")
	require.NoError(t, err)
	shared, err := filepath.Glob("templates/shared/*.html")
	require.NoError(t, err)
	for _, file := range append(files, shared...) {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range fixed.FindAllStringSubmatch(string(body), -1) {
			assert.Contains(t, listed, match[1], "%s names %s, which views/paths.go does not list", file, match[1])
		}
	}
}

func TestEveryClassIsStyledAndEveryStyleUsed(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/souk.css")
	require.NoError(t, err)
	styled := map[string]bool{}
	for _, match := range regexp.MustCompile(`\.([a-z][a-z-]*)`).FindAllStringSubmatch(string(css), -1) {
		styled[match[1]] = true
	}
	used := map[string]bool{"htmx-request": true, "suggestions": true, "tile": true, "picture-loaded": true}
	r := newRenderer(t)
	for _, v := range samples() {
		doc, err := html.Parse(strings.NewReader(render(t, r, v)))
		require.NoError(t, err)
		for n := range doc.Descendants() {
			for _, class := range strings.Fields(attributes(n)["class"]) {
				used[class] = true
			}
		}
	}
	for _, class := range slices.Sorted(maps.Keys(styled)) {
		assert.True(t, used[class], "souk.css styles .%s, which no page has", class)
	}
}

func TestHtmxGetsThePartThatItAskedFor(t *testing.T) {
	t.Parallel()
	r, all := newRenderer(t), samples()
	for name, part := range map[string]string{
		"search": "results", "listing-added": "offer", "cart": "cart", "checkout": "quote", "waiting": "waiting", "orders": "orders",
		"seller-listings": "listings", "seller-orders": "orders", "operator-sellers": "sellers", "operator-audit": "audit", "operator-search": "searches",
	} {
		body := render(t, r, all[name], "HX-Request", "true", "HX-Target", part)
		assert.NotContains(t, body, "<!doctype", name)
		assert.Contains(t, body, fmt.Sprintf(`id="%s"`, part), name)
		assert.Contains(t, body, "<title>", name)
		checkNesting(t, body)
	}
	assert.Contains(t, render(t, r, all["listing-added"], "HX-Request", "true", "HX-Target", "offer"), "Added to the cart.", "the notice comes along")

	t.Run("and the whole page when it restores one, or knows no such part", func(t *testing.T) {
		t.Parallel()
		assert.Contains(t, render(t, r, all["cart"], "HX-Request", "true", "HX-Target", "cart", "HX-History-Restore-Request", "true"), "<!doctype")
		assert.Contains(t, render(t, r, all["cart"], "HX-Request", "true", "HX-Target", "layout"), "<!doctype")
	})
}
