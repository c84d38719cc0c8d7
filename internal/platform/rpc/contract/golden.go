package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

const header = `# What others may rely on, and its hash. Written by go generate; not to be edited.
`

// Hash identifies the contract: two contracts with the same text have the same.
func (c *Contract) Hash() string {
	sum := sha256.Sum256([]byte(c.text()))
	return hex.EncodeToString(sum[:16])
}

// Golden is the contract as text, with its hash. Parse reads it back.
func (c *Contract) Golden() []byte {
	return []byte(header + "hash " + c.Hash() + "\n\n" + c.text())
}

func (c *Contract) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "contract %s\n\n", c.Module)
	for _, m := range c.Methods {
		word := "read"
		if m.Command {
			word = "command"
		}
		fmt.Fprintf(&b, "%s %s %s %s\n", word, m.Name, m.Request, m.Reply)
	}
	for _, e := range c.Events {
		fmt.Fprintf(&b, "\nevent %s %s key %s\n", e.Name, e.Type, e.Key)
	}
	for _, t := range c.Types {
		b.WriteString("\n")
		t.write(&b)
	}
	b.WriteString("\n")
	for _, code := range c.Codes {
		fmt.Fprintf(&b, "code %s %s\n", code.Code, code.Kind)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (t Type) write(b *strings.Builder) {
	switch t.Kind {
	case Scalar:
		fmt.Fprintf(b, "scalar %s %s\n", t.Name, t.Wire)
	case Enum:
		fmt.Fprintf(b, "enum %s", t.Name)
		if t.Fallback != "" {
			fmt.Fprintf(b, " fallback %q", t.Fallback)
		}
		b.WriteString("\n")
		for _, v := range t.Values {
			fmt.Fprintf(b, "\t%q\n", v)
		}
	case Struct:
		fmt.Fprintf(b, "struct %s\n", t.Name)
		for _, f := range t.Fields {
			fmt.Fprintf(b, "\t%s %s", f.Name, f.Type)
			if f.PII {
				b.WriteString(" pii")
			}
			b.WriteString("\n")
		}
	}
}

// Parse reads what Golden wrote, and refuses a text that does not have its own hash.
func Parse(golden []byte) (*Contract, error) {
	c := &Contract{}
	hash := ""
	for i, line := range strings.Split(string(golden), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if h, ok := strings.CutPrefix(line, "hash "); ok {
			hash = h
			continue
		}
		if err := c.parseLine(line); err != nil {
			return nil, fmt.Errorf("line %d of the golden contract: %w", i+1, err)
		}
	}
	c.sort()
	if got := c.Hash(); got != hash {
		return nil, fmt.Errorf("the golden contract of %s says that its hash is %s, and it is %s: it was edited, restore it", c.Module, hash, got)
	}
	return c, nil
}

func (c *Contract) parseLine(line string) error {
	if member, ok := strings.CutPrefix(line, "\t"); ok {
		if len(c.Types) == 0 {
			return fmt.Errorf("%q belongs to no type", member)
		}
		return c.Types[len(c.Types)-1].parseMember(member)
	}
	words := strings.Fields(line)
	switch {
	case words[0] == "contract" && len(words) == 2:
		c.Module = words[1]
	case (words[0] == "command" || words[0] == "read") && len(words) == 4:
		c.Methods = append(c.Methods, Method{Name: words[1], Command: words[0] == "command", Request: words[2], Reply: words[3]})
	case words[0] == "event" && len(words) >= 5 && words[3] == "key":
		c.Events = append(c.Events, Event{Name: words[1], Type: words[2], Key: strings.Join(words[4:], " ")})
	case words[0] == "scalar" && len(words) == 3:
		c.Types = append(c.Types, Type{Name: words[1], Kind: Scalar, Wire: words[2]})
	case words[0] == "struct" && len(words) == 2:
		c.Types = append(c.Types, Type{Name: words[1], Kind: Struct})
	case words[0] == "enum" && len(words) >= 2:
		t := Type{Name: words[1], Kind: Enum}
		if _, said, ok := strings.Cut(line, " fallback "); ok {
			var err error
			if t.Fallback, err = strconv.Unquote(said); err != nil {
				return fmt.Errorf("fallback %s: %w", said, err)
			}
		}
		c.Types = append(c.Types, t)
	case words[0] == "code" && len(words) == 3:
		c.Codes = append(c.Codes, Code{Code: words[1], Kind: words[2]})
	default:
		return fmt.Errorf("%q is not understood", line)
	}
	return nil
}

func (t *Type) parseMember(member string) error {
	if t.Kind == Enum {
		value, err := strconv.Unquote(member)
		if err != nil {
			return fmt.Errorf("value %s: %w", member, err)
		}
		t.Values = append(t.Values, value)
		return nil
	}
	words := strings.Fields(member)
	if t.Kind != Struct || len(words) < 2 || len(words) > 3 || len(words) == 3 && words[2] != "pii" {
		return fmt.Errorf("%q is not a field", member)
	}
	t.Fields = append(t.Fields, Field{Name: words[0], Type: words[1], PII: len(words) == 3})
	return nil
}
