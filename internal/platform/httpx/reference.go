package httpx

import (
	"bytes"
	_ "embed" // the reference's page and stylesheet
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed reference/reference.html
var referenceHTML string

//go:embed reference/reference.css
var referenceCSS []byte

// refModule, refOp and refField are the document as the page shows it.
type refModule struct {
	Name string
	Ops  []refOp
}

type refOp struct {
	ID, Method, Path, Summary string
	Paragraphs                []string
	Params                    []refField
	Body                      []refField
	Answers                   []refAnswer
}

type refAnswer struct {
	Status, Text string
	Fields       []refField
}

type refField struct {
	Name, Type, In, Doc, Rules, Example string
	Required                            bool
}

// reference draws the OpenAPI document as one page, made once at start. It is souk's own
// and small: the usual renderers are megabytes of script that want a laxer policy.
func (s *Server) reference(page *template.Template) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc := s.huma.OpenAPI()
	byModule := map[string][]refOp{}
	for _, address := range slices.Sorted(maps.Keys(doc.Paths)) {
		item := doc.Paths[address]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				byModule[op.Tags[0]] = append(byModule[op.Tags[0]], refOpOf(doc, op))
			}
		}
	}
	var modules []refModule
	for _, name := range slices.Sorted(maps.Keys(byModule)) {
		modules = append(modules, refModule{Name: name, Ops: byModule[name]})
	}
	var out bytes.Buffer
	err := page.Execute(&out, map[string]any{"Version": s.cfg.Version, "About": doc.Info.Description, "Modules": modules})
	if err != nil {
		return nil, fmt.Errorf("draw the reference: %w", err)
	}
	return out.Bytes(), nil
}

func refOpOf(doc *huma.OpenAPI, op *huma.Operation) refOp {
	out := refOp{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary,
		Paragraphs: strings.Split(op.Description, "\n\n"),
	}
	for _, p := range op.Parameters {
		f := refFieldOf(doc, p.Name, p.Schema)
		f.In, f.Required = p.In, p.Required
		if p.Description != "" {
			f.Doc = p.Description
		}
		out.Params = append(out.Params, f)
	}
	if op.RequestBody != nil {
		out.Body = refContent(doc, op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if status == "default" {
			continue // problems, the same everywhere, are told once
		}
		r := op.Responses[status]
		out.Answers = append(out.Answers, refAnswer{Status: status, Text: r.Description, Fields: refContent(doc, r.Content)})
	}
	return out
}

func refContent(doc *huma.OpenAPI, content map[string]*huma.MediaType) []refField {
	for _, media := range slices.Sorted(maps.Keys(content)) {
		var fields []refField
		walkSchema(doc, "", content[media].Schema, 0, &fields)
		return fields
	}
	return nil
}

// walkSchema lists the fields of a schema by their paths: lines[].quantity.
func walkSchema(doc *huma.OpenAPI, path string, schema *huma.Schema, depth int, out *[]refField) {
	schema = resolveSchema(doc, schema)
	if schema == nil || depth > 6 {
		return
	}
	switch {
	case schema.Type == huma.TypeArray:
		walkSchema(doc, path+"[]", schema.Items, depth+1, out)
	case len(schema.Properties) > 0:
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			child := strings.TrimPrefix(path+"."+name, ".")
			f := refFieldOf(doc, child, schema.Properties[name])
			f.Required = slices.Contains(schema.Required, name)
			*out = append(*out, f)
			walkSchema(doc, child, schema.Properties[name], depth+1, out)
		}
	default:
		if values, ok := schema.AdditionalProperties.(*huma.Schema); ok {
			walkSchema(doc, path+".*", values, depth+1, out)
		}
	}
}

func resolveSchema(doc *huma.OpenAPI, schema *huma.Schema) *huma.Schema {
	for schema != nil && schema.Ref != "" {
		schema = doc.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	return schema
}

func refFieldOf(doc *huma.OpenAPI, name string, schema *huma.Schema) refField {
	f := refField{Name: name}
	if schema == nil {
		return f
	}
	f.Doc = schema.Description
	schema = resolveSchema(doc, schema)
	if f.Doc == "" {
		f.Doc = schema.Description
	}
	f.Type = typeName(doc, schema)
	f.Rules = rules(schema)
	if len(schema.Examples) > 0 {
		f.Example = fmt.Sprint(schema.Examples[0])
	}
	return f
}

func typeName(doc *huma.OpenAPI, schema *huma.Schema) string {
	switch {
	case schema.Type == huma.TypeArray:
		if items := resolveSchema(doc, schema.Items); items != nil {
			return "list of " + typeName(doc, items)
		}
		return "list"
	case schema.Format != "" && schema.Type == huma.TypeString:
		return schema.Format
	default:
		return schema.Type
	}
}

// rules says the schema's bounds in words.
func rules(schema *huma.Schema) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if len(schema.Enum) > 0 {
		values := make([]string, len(schema.Enum))
		for i, v := range schema.Enum {
			values[i] = fmt.Sprint(v)
		}
		add("one of %s", strings.Join(values, ", "))
	}
	if schema.Minimum != nil {
		add("at least %v", *schema.Minimum)
	}
	if schema.Maximum != nil {
		add("at most %v", *schema.Maximum)
	}
	if schema.MinLength != nil {
		add("%d characters or more", *schema.MinLength)
	}
	if schema.MaxLength != nil {
		add("%d characters or fewer", *schema.MaxLength)
	}
	if schema.MinItems != nil {
		add("%d or more", *schema.MinItems)
	}
	if schema.MaxItems != nil {
		add("%d or fewer", *schema.MaxItems)
	}
	if schema.Default != nil {
		add("%v if left out", schema.Default)
	}
	return strings.Join(parts, "; ")
}
