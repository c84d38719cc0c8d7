package searchsvc

import (
	"context"
	"net/http"
	"time"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/search"
)

// maxRulesBody bounds a file of rules in JSON: most of its characters take one byte there too, ends of lines two.
const maxRulesBody = search.MaxRulesText + search.MaxRulesText/4

func (s *Service) rulesFileRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "rules/file", Who: httpx.Operators, Summary: "Read the rules of the search as a file",
		Description: "All of them, a rule a line, as imports read them.",
	}, s.getRulesFile)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "rules/imports", Who: httpx.Operators, Summary: "Import a file of rules",
		Description: "All of its rules or none: if lines are wrong, the detail has a line for each. Rules that are there already stay as they are; with replace, those that are not in the file go. " +
			"With the edition that was read, nobody's change is overwritten unseen.",
		Status: http.StatusCreated, MaxBody: maxRulesBody,
	}, s.postRulesImport)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "previews", Who: httpx.Operators, Summary: "What an import of rules would move", Status: http.StatusOK,
		Description: "What the import would add and remove, and the first ten results as they are with what they would be: of those among the 200 most frequent texts of the last 30 days whose first page changes, at most 20, " +
			"and then of the texts that the rules name that come or go, likewise. Nothing is changed.",
		Timeout: 30 * time.Second, Limit: httpx.Limit{Max: 60, Per: time.Minute}, MaxBody: maxRulesBody,
	}, s.postPreview)
}

type rulesFileOut struct {
	Body struct {
		Text    string `json:"text" doc:"A rule a line." example:"same: sofa, couch\n"`
		Rules   int32  `json:"rules" example:"1"`
		Edition int64  `json:"edition" example:"7" doc:"Another after every change of the rules."`
		Fixed   bool   `json:"fixed" doc:"They come from a file that souk is started with, and are changed there alone."`
	}
}

func (s *Service) getRulesFile(ctx context.Context, by actor.Actor, _ struct{}) (out rulesFileOut, err error) {
	reply, err := s.ExportRules(ctx, search.ExportRulesRequest{By: by})
	b := &out.Body
	b.Text, b.Rules, b.Edition, b.Fixed = reply.Text, reply.Rules, reply.Edition, reply.Fixed
	return out, err
}

type rulesImportIn struct {
	httpx.Keyed
	Body struct {
		Text    string `json:"text" maxLength:"4194304" example:"same: sofa, couch\n" doc:"A rule a line, in UTF-8; what follows a # does not count."`
		Replace bool   `json:"replace" required:"false" doc:"Rules that are not in the text go."`
		Edition *int64 `json:"edition" required:"false" doc:"Refused with 409 unless the rules are still in this one; any if left out."`
		DryRun  bool   `json:"dry_run" required:"false" doc:"Say what would be done, and do nothing."`
		Why     string `json:"why" required:"false" maxLength:"500" doc:"For the audit log."`
	}
}

type rulesImportOut struct {
	Body struct {
		Added   []string `json:"added" example:"[\"same: sofa, couch\"]"`
		Removed []string `json:"removed"`
		Kept    int32    `json:"kept" doc:"Were there already."`
	}
}

func (s *Service) postRulesImport(ctx context.Context, by actor.Actor, in rulesImportIn) (out rulesImportOut, err error) {
	reply, err := s.ImportRules(ctx, search.ImportRulesRequest{
		By: by, Key: in.Key, Text: in.Body.Text, Replace: in.Body.Replace, Edition: in.Body.Edition, DryRun: in.Body.DryRun, Why: in.Body.Why,
	})
	b := &out.Body
	b.Added, b.Removed, b.Kept = reply.Added, reply.Removed, reply.Kept
	return out, err
}

type postPreviewIn struct {
	Body struct {
		Text    string `json:"text" maxLength:"4194304" example:"same: sofa, couch\n" doc:"A rule a line, in UTF-8; what follows a # does not count."`
		Replace bool   `json:"replace" required:"false" doc:"Rules that are not in the text go."`
	}
}

type postPreviewOut struct {
	Body struct {
		Added   []string            `json:"added" example:"[\"same: sofa, couch\"]"`
		Removed []string            `json:"removed"`
		Kept    int32               `json:"kept" doc:"Are there already."`
		Edition int64               `json:"edition" example:"7" doc:"Of the rules that this is about; for the import."`
		Since   clock.Time          `json:"since" example:"2026-03-01T00:00:00.000Z" doc:"The day from which on searches were counted."`
		Asked   int32               `json:"asked" example:"200" doc:"Of the most frequent texts, how many were tried."`
		Differ  int32               `json:"differ" example:"3" doc:"Of these, whose first page changes."`
		Named   int32               `json:"named" example:"2" doc:"Texts that the rules name that come or go."`
		Tried   int32               `json:"tried" example:"2" doc:"Of these, how many were looked at."`
		Texts   []previewedTextWire `json:"texts"`
	}
}

func (s *Service) postPreview(ctx context.Context, by actor.Actor, in postPreviewIn) (out postPreviewOut, err error) {
	reply, err := s.PreviewImport(ctx, search.PreviewImportRequest{By: by, Text: in.Body.Text, Replace: in.Body.Replace})
	b := &out.Body
	b.Added, b.Removed, b.Kept, b.Edition = reply.Added, reply.Removed, reply.Kept, reply.Edition
	b.Since, b.Asked, b.Differ, b.Named, b.Tried = reply.Moved.Since, reply.Moved.Asked, reply.Moved.Differ, reply.Named, reply.Tried
	b.Texts = mapped(reply.Moved.Texts, toPreviewedText)
	return out, err
}
