package catalog_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/catalog"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"North Lamp Works": "north-lamp-works",
		"  Café & Co. ":    "cafe-co",
		"Straße 7":         "strasse-7",
		"Ærø's Smørrebrød": "aeros-smorrebrod",
		"---":              "x" + "cb3f91d5", // nothing that could be written
		"Łódź":             "lodz",
		"A/B/C":            "a-b-c",
	} {
		assert.Equal(t, want, catalog.Slug(name), name)
	}
	assert.NotEqual(t, catalog.Slug("日本 Shop"), catalog.Slug("中国 Shop"), "what is lost still tells them apart")
	long := strings.Repeat("lamp ", 30)
	assert.NotEqual(t, catalog.Slug(long+"one"), catalog.Slug(long+"two"))
	assert.Equal(t, "home/desk-lamps", catalog.CategoryPath([]string{"Home", "Desk lamps"}))
}

var slugShape = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func FuzzSlug(f *testing.F) {
	for _, name := range []string{"", "Lamp", "Ünïcödé", "日本", "\xff", strings.Repeat("a b", 100)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		slug := catalog.Slug(name)
		if !slugShape.MatchString(slug) || len(slug) > 80 {
			t.Fatalf("Slug(%q) = %q", name, slug)
		}
		if again := catalog.Slug(slug); len(slug) <= 60 && again != slug {
			t.Fatalf("Slug(%q) = %q, and of that %q", name, slug, again)
		}
		if catalog.Slug(strings.ToLower(name)) != slug {
			t.Fatalf("%q differs from itself in lower case", name)
		}
	})
}
