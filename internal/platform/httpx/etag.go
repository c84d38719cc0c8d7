package httpx

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// IfNoneMatch is embedded in the In of a read whose client may have the thing already.
//
//	tag := httpx.Tag(listing.ID, listing.Version)
//	if in.Has(tag) {
//		return listingOut{}, httpx.NotModified(tag)
//	}
//
// Compare before building the body: that is what makes a repeat cheap.
type IfNoneMatch struct {
	IfNoneMatch string `header:"If-None-Match" maxLength:"1024" doc:"The ETag of what the client has. If that is still so, the answer is 304 without a body."`
}

// Has says whether the client has what tag stands for.
func (i IfNoneMatch) Has(tag string) bool {
	for sent := range strings.SplitSeq(i.IfNoneMatch, ",") {
		sent = strings.TrimPrefix(strings.TrimSpace(sent), "W/")
		if sent == "*" || sent == tag {
			return true
		}
	}
	return false
}

// ETag is embedded in the Out of such a read.
type ETag struct {
	ETag         string `header:"ETag" doc:"Stands for this state of the thing."`
	CacheControl string `header:"Cache-Control"`
}

// Tagged is an ETag for what may be kept but is asked for again each time.
func Tagged(tag string) ETag { return ETag{ETag: tag, CacheControl: "private, no-cache"} }

// Tag makes a tag of what the body depends on: ids, versions, who is asking.
func Tag(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		text = fmt.Append(nil, parts...)
	}
	sum := sha256.Sum256(text)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// NotModified is what a handler returns as its error to answer 304.
func NotModified(tag string) error { return &notModified{tag: tag} }
