package storefront_test

import (
	"context"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var (
	shots     = flag.String("shots", "", "folder for pictures of every page, on a phone and a desk, light and dark")
	shotsOnly = flag.String("shots-only", "", "pages to picture, separated by commas; all when empty")
)

// TestShots takes pictures to look at:
//
//	go test ./internal/storefront -run TestShots -shots /tmp/shots [-shots-only cart,home]
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("pictures are taken only when -shots names a folder for them")
	}
	require.NoError(t, os.MkdirAll(*shots, 0o755))
	server := gallery(t)
	names := slices.Sorted(maps.Keys(samples()))
	if *shotsOnly != "" {
		names = strings.Split(*shotsOnly, ",")
	}
	ctx := browse(t)
	for _, name := range names {
		for _, wide := range []bool{false, true} {
			for _, scheme := range []string{"light", "dark"} {
				shoot(ctx, t, server.URL+"/gallery/"+name, name, wide, scheme)
			}
		}
	}
}

func shoot(ctx context.Context, t *testing.T, url, name string, wide bool, scheme string) {
	t.Helper()
	width, size := int64(390), "390"
	if wide {
		width, size = 1280, "1280"
	}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 844)))
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(t, err)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
	overflow, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`))
	require.NoError(t, err)
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	if overflow > 0 {
		t.Errorf("%s at %s px is %d px too wide", name, size, overflow)
	}
	require.NoError(t, os.WriteFile(filepath.Join(*shots, name+"-"+size+"-"+scheme+".png"), picture, 0o644))
}
