package demo

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
)

// Prefix is where the demo's pictures are served.
const Prefix = "/demo/pictures/"

// PictureURL is the address of the picture of a form in a colour, with something of its
// own for each name.
func PictureURL(form, colour, name string) string {
	return Prefix + form + "-" + strings.ToLower(colour) + "-" + strconv.FormatUint(uint64(seed(name)%sorts), 10) + ".svg"
}

// sorts is how many pictures there are of a form in a colour.
const sorts = 97

func seed(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash never fails
	return h.Sum32()
}

// Pictures serves the drawings. They depend on nothing but their address, so they are kept
// for good by whoever has fetched one.
func Pictures() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		svg, ok := picture(strings.TrimPrefix(r.URL.Path, Prefix))
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		_, _ = w.Write([]byte(svg)) // the client may have gone
	})
}

// picture draws what PictureURL named, and nothing that it would not name.
func picture(file string) (svg string, ok bool) {
	name, ok := strings.CutSuffix(file, ".svg")
	parts := strings.Split(name, "-")
	if !ok || len(parts) != 3 {
		return "", false
	}
	sort, err := strconv.ParseUint(parts[2], 10, 32)
	if err != nil || sort >= sorts || strconv.FormatUint(sort, 10) != parts[2] {
		return "", false
	}
	return draw(parts[0], parts[1], uint32(sort))
}

// tints are a colour's body, shade and highlight.
var tints = map[string][3]string{
	"terracotta": {"#c4633f", "#9c4527", "#e39b7c"},
	"sage":       {"#8fa888", "#6b8565", "#bccfb5"},
	"indigo":     {"#4a5a9a", "#333f73", "#8593c8"},
	"charcoal":   {"#4c4a48", "#2f2e2d", "#817d79"},
	"oat":        {"#d9c7a7", "#b59f79", "#f0e5cf"},
	"mustard":    {"#d9a32f", "#a97b17", "#f0cd7d"},
	"rose":       {"#cf8a8f", "#a8636a", "#e9bfc2"},
	"ocean":      {"#3f8a9a", "#286674", "#82bdc9"},
	"walnut":     {"#7a5238", "#573723", "#a67c5d"},
	"brass":      {"#c59b4a", "#94702b", "#e6cb8d"},
	"white":      {"#eeeae2", "#cbc5b9", "#ffffff"},
	"forest":     {"#3f6b4c", "#294a34", "#7ba287"},
}

// forms draw one kind of goods on a canvas of 400 by 400, standing on y = 320. They are
// given body, shade and highlight as %[1]s, %[2]s and %[3]s.
var forms = map[string]string{
	"desklamp": `<path d="M150 320h100v-14q-50-16-100 0z" fill="%[2]s"/><path d="M198 306 165 210l70-60" fill="none" stroke="%[2]s" stroke-width="9" stroke-linecap="round" stroke-linejoin="round"/><path d="m215 110 66 66-62 18-26-34z" fill="%[1]s"/><path d="m215 110 16 16-26 40-12-6z" fill="%[3]s"/><circle cx="165" cy="210" r="9" fill="%[1]s"/>`,
	"pendant":  `<path d="M200-60v210" stroke="%[2]s" stroke-width="4"/><path d="M190 150h20l8 20h-36z" fill="%[2]s"/><path d="M110 270q6-100 90-100t90 100z" fill="%[1]s"/><path d="M130 262q10-78 66-84-44 20-46 84z" fill="%[3]s"/><ellipse cx="200" cy="270" rx="90" ry="12" fill="%[2]s"/>`,
	"lantern":  `<path d="M160 110q40-60 80 0" fill="none" stroke="%[2]s" stroke-width="7"/><path d="M140 110h120l14 26H126z" fill="%[1]s"/><path d="M138 136h124v156H138z" fill="%[3]s" opacity=".55"/><path d="M138 136h12v156h-12zm112 0h12v156h-12z" fill="%[2]s"/><path d="M186 292v-70q14-30 28 0v70z" fill="#f6e3b4"/><path d="M126 292h148v28H126z" fill="%[1]s"/>`,
	"mug":      `<path d="M262 170q70-6 66 50t-74 50" fill="none" stroke="%[2]s" stroke-width="18"/><path d="M120 140h150v150q0 30-30 30h-90q-30 0-30-30z" fill="%[1]s"/><path d="M136 160h16v130q-16 0-16-16z" fill="%[3]s"/><ellipse cx="195" cy="140" rx="75" ry="14" fill="%[2]s"/>`,
	"bowl":     `<path d="M90 190h220q-4 110-80 124v6h-60v-6q-76-14-80-124z" fill="%[1]s"/><path d="M106 204q8 70 50 96-28-40-30-96z" fill="%[3]s"/><ellipse cx="200" cy="190" rx="110" ry="20" fill="%[2]s"/>`,
	"plate":    `<ellipse cx="200" cy="270" rx="140" ry="46" fill="%[2]s"/><ellipse cx="200" cy="260" rx="140" ry="46" fill="%[1]s"/><ellipse cx="200" cy="258" rx="92" ry="27" fill="%[3]s"/>`,
	"vase":     `<path d="M200 180c-8-60 30-90 26-130M196 176c6-50-30-70-34-110" fill="none" stroke="#6b8565" stroke-width="6"/><circle cx="226" cy="52" r="18" fill="%[3]s"/><circle cx="162" cy="68" r="14" fill="%[3]s"/><path d="M176 170h48q-6 30 26 66 28 44-20 84h-60q-48-40-20-84 32-36 26-66z" fill="%[1]s"/><path d="M164 250q-16 30 6 58 6-34-6-58z" fill="%[3]s"/>`,
	"teapot":   `<path d="M120 220q-60-50-70 0 40 0 78 60" fill="%[2]s"/><path d="M278 200q70-10 60 40t-70 40" fill="none" stroke="%[2]s" stroke-width="16"/><ellipse cx="200" cy="245" rx="92" ry="75" fill="%[1]s"/><path d="M132 230q6-44 50-52-30 26-30 60z" fill="%[3]s"/><path d="M150 178q50-24 100 0z" fill="%[2]s"/><circle cx="200" cy="158" r="13" fill="%[2]s"/>`,
	"chair":    `<path d="M140 90h22v230h-22zm98 0h22v230h-22z" fill="%[2]s"/><path d="M146 100h108q8 40 0 84H146q-8-44 0-84z" fill="%[1]s"/><path d="M120 214h160v26H120z" fill="%[1]s"/><path d="M120 214h160v8H120z" fill="%[3]s"/><path d="M124 240h16v80h-16zm136 0h16v80h-16z" fill="%[2]s"/>`,
	"table":    `<path d="M60 180h280v24H60z" fill="%[1]s"/><path d="M60 180h280v8H60z" fill="%[3]s"/><path d="m86 204h20l-10 116H82zm208 0h20l4 116h-14z" fill="%[2]s"/>`,
	"shelf":    `<path d="M106 66h188v254h-20v-12H126v12h-20z" fill="%[2]s"/><path d="M118 78h164v68H118zm0 80h164v68H118zm0 80h164v62H118z" fill="%[3]s"/><path d="M132 100h16v46h-16zm20-12h14v58h-14zm18 18h18v40h-18zM210 180h16v46h-16zm20-8h14v54h-14zm18 14h18v40h-18z" fill="%[1]s"/><path d="m190 146 10-46 16 4-10 42zM132 266h60v34h-60z" fill="%[2]s"/><circle cx="252" cy="128" r="18" fill="%[1]s"/><path d="M138 226q-6-26 16-26t16 26z" fill="%[1]s"/><path d="M154 200v-22" stroke="%[2]s" stroke-width="4"/><path d="M216 252h14v48h-14zm18 8h16v40h-16z" fill="%[1]s"/>`,
	"blanket":  `<path d="M84 272q0-18 18-18h204q12 0 12 12v42q0 12-12 12H102q-18 0-18-18z" fill="%[2]s"/><path d="M76 214q0-20 20-20h206q12 0 12 12v38q0 12-12 12H96q-20 0-20-20z" fill="%[1]s"/><path d="M84 156q0-20 20-20h194q12 0 12 12v36q0 12-12 12H104q-20 0-20-20z" fill="%[3]s"/><path d="M110 166h200M104 226h210M110 288h208" stroke="#fff" stroke-opacity=".35" stroke-width="6" stroke-dasharray="18 10"/><path d="M310 142h14m-14 12h14m-14 12h14m-14 12h14m-14 12h14" stroke="%[2]s" stroke-width="4"/>`,
	"cushion":  `<path d="M100 130q100 26 200 0-22 95 0 190-100-24-200 0 22-95 0-190z" fill="%[1]s"/><path d="M112 144q88 20 150 8-90 22-120 62-22 34-24 84 14-86-6-154z" fill="%[3]s" opacity=".65"/><path d="M200 225q-36-22-66-62m66 62q36-22 66-62m-66 62q-32 20-64 66m64-66q32 20 64 66" fill="none" stroke="%[2]s" stroke-width="4" opacity=".55"/><circle cx="200" cy="225" r="11" fill="%[2]s"/>`,
	"towel":    `<rect x="62" y="92" width="276" height="11" rx="5" fill="#b9ac98"/><circle cx="66" cy="97" r="11" fill="#9c8f7a"/><circle cx="334" cy="97" r="11" fill="#9c8f7a"/><path d="M150 86h124v204H150z" fill="%[2]s"/><path d="M126 92q0-8 8-8h124q8 0 8 8v216H126z" fill="%[1]s"/><path d="M138 96h18v212h-18z" fill="%[3]s" opacity=".8"/><path d="M126 256h140v14H126zm0 24h140v7H126z" fill="%[3]s"/>`,
	"bag":      `<path d="M130 120h140l16 200H114z" fill="%[1]s"/><path d="M130 120h140l2 26H128z" fill="%[2]s"/><path d="M150 186h100v90H150z" fill="%[3]s"/><path d="M200 206q30 24 0 50-30-26 0-50zm0 4q-10 22 0 42" fill="%[1]s" stroke="%[2]s" stroke-width="3"/>`,
	"grinder":  `<path d="M200 80h80" stroke="%[2]s" stroke-width="10" stroke-linecap="round"/><circle cx="282" cy="80" r="14" fill="%[1]s"/><path d="M192 80h16v40h-16z" fill="%[2]s"/><path d="M140 120h120l-20 60h-80z" fill="%[3]s"/><path d="M130 180h140v140H130z" fill="%[1]s"/><path d="M156 230h88v50h-88z" fill="%[2]s"/><circle cx="200" cy="255" r="8" fill="%[3]s"/>`,
	"notebook": `<path d="M120 90h160q14 0 14 14v202q0 14-14 14H120z" fill="%[1]s"/><path d="M120 90h24v230h-24z" fill="%[2]s"/><path d="M168 130h96v40h-96z" fill="%[3]s"/><path d="M262 90h10v230h-10z" fill="%[2]s"/>`,
	"pen":      `<g transform="translate(0 28) rotate(40 200 200)"><path d="M190 262h20l-10 54z" fill="#c9b37a"/><path d="M200 274v30" stroke="#8a7a4a" stroke-width="2"/><path d="M182 228h36l-6 36h-24z" fill="%[2]s"/><rect x="179" y="56" width="42" height="176" rx="18" fill="%[1]s"/><rect x="187" y="72" width="8" height="144" rx="4" fill="%[3]s"/><path d="M178 140h44v10h-44z" fill="#c9b37a"/><rect x="212" y="70" width="9" height="66" rx="4" fill="#c9b37a"/></g>`,
	"tent":     `<path d="M40 320 200 110l160 210z" fill="%[1]s"/><path d="M200 110 40 320h90z" fill="%[3]s"/><path d="m200 150-56 170h112z" fill="%[2]s"/><path d="M200 110V84m-172 236 30-14m314 14-30-14" stroke="%[2]s" stroke-width="5"/>`,
	"bottle":   `<path d="M172 70h56v30h-56z" fill="%[2]s"/><path d="M176 100h48q0 26 22 44v156q0 20-20 20h-52q-20 0-20-20V144q22-18 22-44z" fill="%[1]s"/><path d="M166 156h14v146q-14 0-14-14z" fill="%[3]s"/><path d="M154 210h92v50h-92z" fill="%[2]s" opacity=".5"/>`,
	"backpack": `<path d="M160 90q40-50 80 0" fill="none" stroke="%[2]s" stroke-width="10"/><path d="M110 150q0-70 90-70t90 70v140q0 30-30 30H140q-30 0-30-30z" fill="%[1]s"/><path d="M136 220h128v76q0 12-12 12H148q-12 0-12-12z" fill="%[2]s"/><path d="M136 220h128v18H136z" fill="%[3]s"/><path d="M140 130q60-20 120 0v20q-60-18-120 0z" fill="%[3]s"/>`,
	"blocks":   `<path d="M100 230h90v90h-90z" fill="%[1]s"/><path d="M206 230h90v90h-90z" fill="%[2]s"/><path d="M152 136h90v90h-90z" fill="%[3]s"/><circle cx="145" cy="275" r="22" fill="%[3]s"/><path d="m251 250 26 46h-52z" fill="%[3]s"/><path d="M178 162h38v38h-38z" fill="%[1]s"/>`,
	"bear":     `<circle cx="146" cy="112" r="28" fill="%[2]s"/><circle cx="254" cy="112" r="28" fill="%[2]s"/><ellipse cx="200" cy="262" rx="82" ry="66" fill="%[1]s"/><circle cx="200" cy="150" r="70" fill="%[1]s"/><ellipse cx="200" cy="172" rx="32" ry="25" fill="%[3]s"/><circle cx="176" cy="138" r="7"/><circle cx="224" cy="138" r="7"/><path d="M190 162h20l-10 11z"/><ellipse cx="200" cy="268" rx="46" ry="42" fill="%[3]s"/>`,
	"plant":    `<path d="M200 230c-70-10-100-70-90-120 50 10 86 50 90 120zm0 0c-6-80 30-130 84-150 16 60-10 130-84 150zm0 0c-30-70-20-140 10-180 34 50 30 120-10 180z" fill="#5f8f63"/><path d="M200 230c-40-40-62-70-90-120m90 120c20-60 50-100 84-150" fill="none" stroke="#3f6b4c" stroke-width="3"/><path d="M136 224h128l-16 96h-96z" fill="%[1]s"/><path d="M128 214h144v24H128z" fill="%[2]s"/>`,
	"can":      `<path d="M124 214q-56-14-50 30t54 44" fill="none" stroke="%[2]s" stroke-width="12"/><path d="m250 262 62-112 18 10-58 138z" fill="%[2]s"/><path d="m296 128 58 32-8 16-58-32z" fill="%[3]s"/><path d="M124 186h138l8 118q0 16-16 16H132q-16 0-16-16z" fill="%[1]s"/><path d="M138 200h18l-4 104q-16 0-20-10z" fill="%[3]s"/><path d="M150 186q0-62 43-62t43 62" fill="none" stroke="%[2]s" stroke-width="12"/><path d="M118 180h150v14H118z" fill="%[2]s"/>`,
	"pan":      `<path d="m262 250 112-20q10 0 10 9t-8 11l-114 20z" fill="%[2]s"/><path d="M60 250h216q-2 70-44 70H104q-42 0-44-70z" fill="%[1]s"/><path d="M76 266q8 38 30 46-12-20-14-42z" fill="%[3]s"/><ellipse cx="168" cy="250" rx="108" ry="19" fill="%[3]s"/><ellipse cx="168" cy="252" rx="97" ry="14" fill="%[2]s"/>`,
	"knife":    `<g transform="translate(0 64)"><path d="M60 240q120-100 220-100v34L110 252z" fill="#e4e1db"/><path d="M60 240q120-90 220-80v14L110 252z" fill="#c2beb6"/><path d="m276 136 70-14q16 0 14 18t-16 20l-68 16z" fill="%[1]s"/><path d="m276 136 70-14 8 2-78 22z" fill="%[3]s"/><circle cx="300" cy="154" r="5" fill="%[2]s"/><circle cx="330" cy="147" r="5" fill="%[2]s"/></g>`,
	"board":    `<path d="M110 120h150q24 0 24 24v152q0 24-24 24H110q-24 0-24-24V144q0-24 24-24z" fill="%[1]s"/><path d="M284 190h46q16 0 16 16v22q0 16-16 16h-46z" fill="%[1]s"/><circle cx="324" cy="217" r="9" fill="%[2]s"/><path d="M96 170q90-16 180 0M96 220q90 18 180 0M96 270q90-12 180 0" fill="none" stroke="%[2]s" stroke-width="3"/>`,
	"book":     `<path d="M118 306V90q0-14 14-14h148v230z" fill="%[1]s"/><path d="M118 306V90q0-14 14-14h10v230z" fill="%[2]s"/><path d="M132 294h148v22H132q-10 0-10-11t10-11z" fill="#f4eee2"/><path d="M136 302h144m-144 7h144" stroke="#ddd3c1" stroke-width="2"/><path d="M118 304q0 16 16 16h146v-7H134q-8 0-8-9t8-9h-4q-12 0-12 9z" fill="%[2]s"/><path d="M164 108h92v12h-92zm0 22h64v8h-64z" fill="%[3]s"/><circle cx="210" cy="212" r="36" fill="%[3]s"/><path d="M174 220q18-16 36 0t36 0q-6 28-36 28t-36-28z" fill="%[2]s"/>`,
	"speaker":  `<path d="M130 80h140q12 0 12 12v216q0 12-12 12H130q-12 0-12-12V92q0-12 12-12z" fill="%[1]s"/><circle cx="200" cy="138" r="28" fill="%[2]s"/><circle cx="200" cy="138" r="10" fill="%[3]s"/><circle cx="200" cy="242" r="56" fill="%[2]s"/><circle cx="200" cy="242" r="38" fill="%[3]s"/><circle cx="200" cy="242" r="15" fill="%[2]s"/>`,
	"phones":   `<path d="M100 240q-6-140 100-140t100 140" fill="none" stroke="%[2]s" stroke-width="16"/><rect x="80" y="210" width="56" height="96" rx="26" fill="%[1]s"/><rect x="264" y="210" width="56" height="96" rx="26" fill="%[1]s"/><rect x="122" y="222" width="18" height="72" rx="9" fill="%[3]s"/><rect x="260" y="222" width="18" height="72" rx="9" fill="%[3]s"/>`,
	"record":   `<path d="M70 132h260v182q0 6-6 6H76q-6 0-6-6z" fill="%[1]s"/><path d="M70 132h260v14H70z" fill="%[2]s"/><circle cx="178" cy="232" r="78" fill="#262422"/><circle cx="178" cy="232" r="60" fill="none" stroke="#3c3936" stroke-width="3"/><circle cx="178" cy="232" r="44" fill="none" stroke="#3c3936" stroke-width="3"/><circle cx="178" cy="232" r="24" fill="%[3]s"/><circle cx="178" cy="232" r="4" fill="#262422"/><circle cx="300" cy="172" r="13" fill="%[2]s"/><path d="M300 172v62l-46 34" fill="none" stroke="%[2]s" stroke-width="7"/><circle cx="300" cy="292" r="9" fill="%[2]s"/>`,
	"candle":   `<path d="M200 96q26 30 0 54-26-24 0-54z" fill="#f0b34a"/><path d="M198 146h4v20h-4z" fill="#3c3936"/><path d="M140 166h120v138q0 16-16 16h-88q-16 0-16-16z" fill="%[1]s"/><path d="M154 180h14v128h-4q-10 0-10-10z" fill="%[3]s"/><path d="M166 214h68v54h-68z" fill="%[3]s"/>`,
}

// draw makes a picture, or says that there is no such form or colour.
func draw(form, colour string, variation uint32) (string, bool) {
	shape, ok := forms[form]
	tint, known := tints[colour]
	if !ok || !known {
		return "", false
	}
	light := []string{"#f7f2e8", "#f1efe9", "#f5efe9", "#eef0ec", "#f3f0f2"}[variation%5]
	floor := []string{"#e6dfd1", "#dedad1", "#e4dad0", "#d9ddd5", "#dfd9de"}[variation%5]
	scale := 0.92 + float64(variation%17)/100 // of a drawing; no amount of anything
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400">`)
	fmt.Fprintf(&b, `<path d="M0 0h400v400H0z" fill="%s"/><path d="M0 296h400v104H0z" fill="%s"/>`, light, floor)
	fmt.Fprintf(&b, `<ellipse cx="206" cy="322" rx="%d" ry="10" fill="#000" opacity=".10"/>`, 110+variation%30)
	fmt.Fprintf(&b, `<g transform="translate(200 320) scale(%.2f) translate(-200 -320)">`, scale)
	fmt.Fprintf(&b, shape, tint[0], tint[1], tint[2])
	b.WriteString(`</g></svg>`)
	return b.String(), true
}
