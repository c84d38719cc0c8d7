package feed

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decode makes a feed UTF-8. In this order it believes a byte order mark, the pattern of
// zeros that UTF-16 leaves, an XML declaration, and valid UTF-8. What is none of these is
// Windows-1252, which Latin-1 feeds are in truth. repaired says that all of it was converted,
// so that no invalid byte is left.
func decode(in *bufio.Reader) (out *bufio.Reader, repaired bool, err error) {
	head, err := in.Peek(sniffed)
	if err != nil && len(head) == 0 {
		if err == io.EOF {
			return nil, false, fmt.Errorf("it is empty")
		}
		return nil, false, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err := in.Discard(3)
		return in, false, err
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return through(in, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)), true, nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return through(in, unicode.UTF16(unicode.BigEndian, unicode.UseBOM)), true, nil
	}
	if order, ok := looksUTF16(head); ok {
		return through(in, unicode.UTF16(order, unicode.IgnoreBOM)), true, nil
	}
	if bytes.IndexByte(head, 0) >= 0 && bytes.Count(head, []byte{0}) > len(head)/100 {
		return nil, false, fmt.Errorf("this is no text: a feed is TSV, CSV or XML, also gzipped")
	}
	if name := declared(head); name != "" && !strings.EqualFold(name, "utf-8") {
		e, ok := encodings[strings.ToLower(name)]
		if !ok {
			return nil, false, fmt.Errorf("its XML says encoding %q, which souk cannot read: save it as UTF-8", shorten(name))
		}
		return through(in, e), true, nil
	}
	if len(head) == sniffed { // the cut may go through a character
		for i := 1; i < utf8.UTFMax && !utf8.RuneStart(head[len(head)-1]); i++ {
			head = head[:len(head)-1]
		}
		head = head[:len(head)-1]
	}
	if !utf8.Valid(head) && !mostlyUTF8(head) {
		return through(in, charmap.Windows1252), true, nil
	}
	return in, false, nil
}

func through(in io.Reader, e encoding.Encoding) *bufio.Reader {
	return bufio.NewReaderSize(transform.NewReader(in, e.NewDecoder()), sniffed)
}

// looksUTF16 says whether text without a byte order mark has a zero in nearly every other byte.
func looksUTF16(head []byte) (unicode.Endianness, bool) {
	var even, odd int
	for i, c := range head[:min(len(head), 1000)] {
		if c != 0 {
			continue
		}
		if i%2 == 0 {
			even++
		} else {
			odd++
		}
	}
	half := min(len(head), 1000) / 2
	switch {
	case half < 4:
		return unicode.LittleEndian, false
	case odd > half*6/10 && even < half/10:
		return unicode.LittleEndian, true
	case even > half*6/10 && odd < half/10:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// mostlyUTF8 says whether characters of several bytes are more often right than wrong: then
// the wrong ones are stray bytes in UTF-8.
func mostlyUTF8(head []byte) bool {
	var right, wrong int
	for i := 0; i < len(head); {
		r, size := utf8.DecodeRune(head[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			wrong++
		case size > 1:
			right++
		}
		i += size
	}
	return right > wrong
}

var declaration = regexp.MustCompile(`^\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([^"']{1,40})["']`)

func declared(head []byte) string {
	m := declaration.FindSubmatch(head[:min(len(head), 400)])
	if m == nil {
		return ""
	}
	return string(m[1])
}

// encodings are those that an XML declaration may name. us-ascii and iso-8859-1 are read as
// Windows-1252, which has them in it.
var encodings = map[string]encoding.Encoding{
	"us-ascii": charmap.Windows1252, "ascii": charmap.Windows1252, "iso-8859-1": charmap.Windows1252,
	"latin1": charmap.Windows1252, "latin-1": charmap.Windows1252, "windows-1252": charmap.Windows1252, "cp1252": charmap.Windows1252,
	"iso-8859-2": charmap.ISO8859_2, "windows-1250": charmap.Windows1250, "iso-8859-5": charmap.ISO8859_5,
	"windows-1251": charmap.Windows1251, "koi8-r": charmap.KOI8R, "iso-8859-7": charmap.ISO8859_7,
	"windows-1253": charmap.Windows1253, "iso-8859-9": charmap.ISO8859_9, "windows-1254": charmap.Windows1254,
	"iso-8859-15": charmap.ISO8859_15, "utf8": encoding.Nop,
}

// repair reads each byte that is not UTF-8 as Windows-1252, and leaves the others.
func repair(s string) (fixed string, changed bool) {
	if utf8.ValidString(s) {
		return s, false
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			r = charmap.Windows1252.DecodeByte(s[i])
		}
		b.WriteRune(r)
		i += size
	}
	return b.String(), true
}
