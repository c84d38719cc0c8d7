package storefront

import (
	"fmt"
	"net/http"
	"net/url"

	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// previewAsked says whether a form about a rule was sent by its button for a preview.
func (v *visit) previewAsked() bool { return v.field("preview") != "" }

// previewing is what keeping a rule would move, and the form as it was filled in; without a preview
// the form says what is wrong.
type previewing struct {
	preview *views.RulePreview
	form    views.Form
	status  int
}

func (v *visit) previewRule(r search.Rule, typed map[string]string) (previewing, error) {
	reply, err := v.Search.Preview(v.ctx(), search.PreviewRequest{By: v.by, Rule: &r})
	if err != nil {
		if !formFails(err) {
			return previewing{}, err
		}
		p := previewing{form: v.refusedRule(err, typed), status: httpx.Status(err)}
		p.form.Key = v.field("key") // nothing was done under it
		return p, nil
	}
	return previewing{toRulePreview("What would move: "+ruleText(reply.Rule), reply), views.Form{Key: v.field("key"), Values: typed}, http.StatusOK}, nil
}

// previewRemoval shows the rule with what taking it away would move.
func (v *visit) previewRemoval() error {
	reply, err := v.Search.Preview(v.ctx(), search.PreviewRequest{By: v.by, Remove: search.RuleID(v.param("rule"))})
	if errs.KindOf(err) == errs.NotFound {
		return v.done(pathOpRules, views.Flash{Text: "The rule was gone already."})
	}
	if err != nil {
		return err
	}
	return v.showRule(http.StatusOK, reply.Rule, views.Form{Values: ruleValues(reply.Rule)}, toRulePreview("What would move without the rule", reply))
}

func toRulePreview(heading string, r search.PreviewReply) *views.RulePreview {
	out := &views.RulePreview{Heading: heading}
	switch {
	case r.Asked == 0:
		out.Intro = "Nothing is changed yet. No search is frequent enough to be tried, so these are only those that the rule names."
	case r.Differ == 0:
		out.Intro = fmt.Sprintf("Nothing is changed yet. Of %s since %s none has another first page.", Count(int(r.Asked), "frequent search", "frequent searches"), dateOf(r.Since))
	default:
		out.Intro = fmt.Sprintf("Nothing is changed yet. Of %s since %s, %d would have another first page.", Count(int(r.Asked), "frequent search", "frequent searches"), dateOf(r.Since), r.Differ)
		if r.Differ > search.PreviewTold {
			out.Intro += fmt.Sprintf(" Of these the first %d are shown.", search.PreviewTold)
		}
	}
	for _, one := range r.Texts {
		out.Texts = append(out.Texts, toPreviewText(one))
	}
	return out
}

func toPreviewText(one search.PreviewedText) views.PreviewText {
	out := views.PreviewText{Text: one.Text, URL: views.PathSearch + "?" + url.Values{"q": {one.Text}}.Encode()}
	if one.Searches > 0 {
		out.Note = fmt.Sprintf("searched for %s; ", Count(int(one.Searches), "time", "times"))
	}
	out.Note += fmt.Sprintf("finds %s", Count(int(one.Before.Total), "listing", "listings"))
	if one.After.Total != one.Before.Total {
		out.Note += fmt.Sprintf(", then %s", Count(int(one.After.Total), "listing", "listings"))
	}
	switch was, is := one.Before.Corrected, one.After.Corrected; {
	case was == is && was != "":
		out.Note += "; corrected to “" + was + "”"
	case was != is && is != "":
		out.Note += "; would be corrected to “" + is + "”"
	case was != is:
		out.Note += "; would not be corrected to “" + was + "” any more"
	}
	if !one.Differs {
		out.Same = "Nothing moves on its first page."
		return out
	}
	for i := range max(len(one.Before.Hits), len(one.After.Hits)) {
		row := views.PreviewRow{Place: i + 1}
		if i < len(one.Before.Hits) {
			row.Now = previewCell(one.Before.Hits[i], leaves)
		}
		if i < len(one.After.Hits) {
			row.Then = previewCell(one.After.Hits[i], comes)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func previewCell(h search.PreviewedHit, move func(search.PreviewedHit) views.Status) *views.PreviewCell {
	return &views.PreviewCell{Title: h.Title, URL: listingURL(h.Listing), Move: move(h)}
}

// leaves says of a result now that it will not be on the first page.
func leaves(h search.PreviewedHit) views.Status {
	switch {
	case h.Other == 0:
		return views.Status{Text: "goes out", Tone: views.Bad}
	case h.Other > search.PreviewHits:
		return views.Status{Text: fmt.Sprintf("goes to place %d", h.Other), Tone: views.Bad}
	default:
		return views.Status{}
	}
}

// comes says of a result then where it comes from.
func comes(h search.PreviewedHit) views.Status {
	switch {
	case h.Other == 0:
		return views.Status{Text: "comes in", Tone: views.Good}
	case h.Other > search.PreviewHits:
		return views.Status{Text: fmt.Sprintf("comes from place %d", h.Other), Tone: views.Good}
	case h.Other > h.Place:
		return views.Status{Text: fmt.Sprintf("up from %d", h.Other), Tone: views.Good}
	case h.Other < h.Place:
		return views.Status{Text: fmt.Sprintf("down from %d", h.Other), Tone: views.Warn}
	default:
		return views.Status{}
	}
}
