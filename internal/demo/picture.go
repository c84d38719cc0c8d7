package demo

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
)

// Prefix is where the demo's pictures are served.
const Prefix = "/demo/pictures/"

// PictureURL is the address of the picture of a form in a colour, with something of its
// own for each name.
func PictureURL(form, colour, name string) string {
	return Prefix + form + "-" + strings.ToLower(colour) + "-" + fmt.Sprint(seed(name)%97) + ".svg"
}

func seed(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash never fails
	return h.Sum32()
}

// Pictures serves the drawings. They depend on nothing but their address, so they are kept
// for good by whoever has fetched one.
func Pictures() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, Prefix), ".svg")
		parts := strings.Split(name, "-")
		if len(parts) != 3 {
			http.NotFound(w, r)
			return
		}
		svg, ok := draw(parts[0], parts[1], seed(parts[2]))
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		_, _ = w.Write([]byte(svg)) // the client may have gone
	})
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
	"pendant":  `<path d="M200 40v110" stroke="%[2]s" stroke-width="4"/><path d="M190 150h20l8 20h-36z" fill="%[2]s"/><path d="M110 270q6-100 90-100t90 100z" fill="%[1]s"/><path d="M130 262q10-78 66-84-44 20-46 84z" fill="%[3]s"/><ellipse cx="200" cy="270" rx="90" ry="12" fill="%[2]s"/>`,
	"lantern":  `<path d="M160 110q40-60 80 0" fill="none" stroke="%[2]s" stroke-width="7"/><path d="M140 110h120l14 26H126z" fill="%[1]s"/><path d="M138 136h124v156H138z" fill="%[3]s" opacity=".55"/><path d="M138 136h12v156h-12zm112 0h12v156h-12z" fill="%[2]s"/><path d="M186 292v-70q14-30 28 0v70z" fill="#f6e3b4"/><path d="M126 292h148v28H126z" fill="%[1]s"/>`,
	"mug":      `<path d="M262 170q70-6 66 50t-74 50" fill="none" stroke="%[2]s" stroke-width="18"/><path d="M120 140h150v150q0 30-30 30h-90q-30 0-30-30z" fill="%[1]s"/><path d="M136 160h16v130q-16 0-16-16z" fill="%[3]s"/><ellipse cx="195" cy="140" rx="75" ry="14" fill="%[2]s"/>`,
	"bowl":     `<path d="M90 190h220q-4 110-80 124v6h-60v-6q-76-14-80-124z" fill="%[1]s"/><path d="M106 204q8 70 50 96-28-40-30-96z" fill="%[3]s"/><ellipse cx="200" cy="190" rx="110" ry="20" fill="%[2]s"/>`,
	"plate":    `<ellipse cx="200" cy="270" rx="140" ry="46" fill="%[2]s"/><ellipse cx="200" cy="260" rx="140" ry="46" fill="%[1]s"/><ellipse cx="200" cy="258" rx="92" ry="27" fill="%[3]s"/>`,
	"vase":     `<path d="M200 180c-8-60 30-90 26-130M196 176c6-50-30-70-34-110" fill="none" stroke="#6b8565" stroke-width="6"/><circle cx="226" cy="52" r="18" fill="%[3]s"/><circle cx="162" cy="68" r="14" fill="%[3]s"/><path d="M176 170h48q-6 30 26 66 28 44-20 84h-60q-48-40-20-84 32-36 26-66z" fill="%[1]s"/><path d="M164 250q-16 30 6 58 6-34-6-58z" fill="%[3]s"/>`,
	"teapot":   `<path d="M120 220q-60-50-70 0 40 0 78 60" fill="%[2]s"/><path d="M278 200q70-10 60 40t-70 40" fill="none" stroke="%[2]s" stroke-width="16"/><ellipse cx="200" cy="245" rx="92" ry="75" fill="%[1]s"/><path d="M132 230q6-44 50-52-30 26-30 60z" fill="%[3]s"/><path d="M150 178q50-24 100 0z" fill="%[2]s"/><circle cx="200" cy="158" r="13" fill="%[2]s"/>`,
	"chair":    `<path d="M140 90h22v230h-22zm98 0h22v230h-22z" fill="%[2]s"/><path d="M146 100h108q8 40 0 84H146q-8-44 0-84z" fill="%[1]s"/><path d="M120 214h160v26H120z" fill="%[1]s"/><path d="M120 214h160v8H120z" fill="%[3]s"/><path d="M124 240h16v80h-16zm136 0h16v80h-16z" fill="%[2]s"/>`,
	"table":    `<path d="M60 180h280v24H60z" fill="%[1]s"/><path d="M60 180h280v8H60z" fill="%[3]s"/><path d="m86 204h20l-10 116H82zm208 0h20l4 116h-14z" fill="%[2]s"/>`,
	"shelf":    `<path d="M110 70h180v250H110z" fill="%[2]s"/><path d="M122 82h156v66H122zm0 78h156v66H122zm0 78h156v70H122z" fill="%[3]s"/><path d="M140 100h16v48h-16zm20-10h14v58h-14zm18 16h18v42h-18z" fill="%[1]s"/><circle cx="240" cy="204" r="22" fill="%[1]s"/><path d="M150 268h70v40h-70z" fill="%[1]s"/>`,
	"blanket":  `<path d="M90 230q110-30 220 0v90H90z" fill="%[2]s"/><path d="M90 190q110-30 220 0v60q-110-30-220 0z" fill="%[1]s"/><path d="M90 150q110-30 220 0v50q-110-30-220 0z" fill="%[3]s"/><path d="M100 320v14m30-14v14m30-14v14m30-14v14m30-14v14m30-14v14m30-14v14" stroke="%[2]s" stroke-width="5"/>`,
	"cushion":  `<path d="M100 130q100 30 200 0-26 95 0 190-100-26-200 0 26-95 0-190z" fill="%[1]s"/><path d="M126 160q70 14 120 4-90 30-106 120-10-70-14-124z" fill="%[3]s" opacity=".7"/><path d="M150 225h100M200 175v100" stroke="%[2]s" stroke-width="5" stroke-dasharray="10 9"/>`,
	"towel":    `<path d="M130 100h140v220H130z" fill="%[1]s"/><path d="M130 100h36v220h-36z" fill="%[3]s"/><path d="M130 260h140v12H130zm0 22h140v6H130z" fill="%[2]s"/><path d="M90 92h220v14H90z" fill="%[2]s"/>`,
	"bag":      `<path d="M130 120h140l16 200H114z" fill="%[1]s"/><path d="M130 120h140l2 26H128z" fill="%[2]s"/><path d="M150 186h100v90H150z" fill="%[3]s"/><path d="M200 206q30 24 0 50-30-26 0-50zm0 4q-10 22 0 42" fill="%[1]s" stroke="%[2]s" stroke-width="3"/>`,
	"grinder":  `<path d="M200 80h80" stroke="%[2]s" stroke-width="10" stroke-linecap="round"/><circle cx="282" cy="80" r="14" fill="%[1]s"/><path d="M192 80h16v40h-16z" fill="%[2]s"/><path d="M140 120h120l-20 60h-80z" fill="%[3]s"/><path d="M130 180h140v140H130z" fill="%[1]s"/><path d="M156 230h88v50h-88z" fill="%[2]s"/><circle cx="200" cy="255" r="8" fill="%[3]s"/>`,
	"notebook": `<path d="M120 90h160q14 0 14 14v202q0 14-14 14H120z" fill="%[1]s"/><path d="M120 90h24v230h-24z" fill="%[2]s"/><path d="M168 130h96v40h-96z" fill="%[3]s"/><path d="M262 90h10v230h-10z" fill="%[2]s"/>`,
	"pen":      `<path d="m120 300 14-50L270 94q22-10 36 8t4 36L174 292z" fill="%[1]s"/><path d="m134 250 40 42-54 28z" fill="%[3]s"/><path d="m120 320 14-26 14 12z" fill="%[2]s"/><path d="m250 116 40 42" stroke="%[2]s" stroke-width="8"/>`,
	"tent":     `<path d="M40 320 200 110l160 210z" fill="%[1]s"/><path d="M200 110 40 320h90z" fill="%[3]s"/><path d="m200 150-56 170h112z" fill="%[2]s"/><path d="M200 110V84m-172 236 30-14m314 14-30-14" stroke="%[2]s" stroke-width="5"/>`,
	"bottle":   `<path d="M172 70h56v30h-56z" fill="%[2]s"/><path d="M176 100h48q0 26 22 44v156q0 20-20 20h-52q-20 0-20-20V144q22-18 22-44z" fill="%[1]s"/><path d="M166 156h14v146q-14 0-14-14z" fill="%[3]s"/><path d="M154 210h92v50h-92z" fill="%[2]s" opacity=".5"/>`,
	"backpack": `<path d="M160 90q40-50 80 0" fill="none" stroke="%[2]s" stroke-width="10"/><path d="M110 150q0-70 90-70t90 70v140q0 30-30 30H140q-30 0-30-30z" fill="%[1]s"/><path d="M136 220h128v76q0 12-12 12H148q-12 0-12-12z" fill="%[2]s"/><path d="M136 220h128v18H136z" fill="%[3]s"/><path d="M140 130q60-20 120 0v20q-60-18-120 0z" fill="%[3]s"/>`,
	"blocks":   `<path d="M100 230h90v90h-90z" fill="%[1]s"/><path d="M206 230h90v90h-90z" fill="%[2]s"/><path d="M152 136h90v90h-90z" fill="%[3]s"/><circle cx="145" cy="275" r="22" fill="%[3]s"/><path d="m251 250 26 46h-52z" fill="%[3]s"/><path d="M178 162h38v38h-38z" fill="%[1]s"/>`,
	"bear":     `<circle cx="146" cy="112" r="28" fill="%[2]s"/><circle cx="254" cy="112" r="28" fill="%[2]s"/><ellipse cx="200" cy="262" rx="82" ry="66" fill="%[1]s"/><circle cx="200" cy="150" r="70" fill="%[1]s"/><ellipse cx="200" cy="172" rx="32" ry="25" fill="%[3]s"/><circle cx="176" cy="138" r="7"/><circle cx="224" cy="138" r="7"/><path d="M190 162h20l-10 11z"/><ellipse cx="200" cy="268" rx="46" ry="42" fill="%[3]s"/>`,
	"plant":    `<path d="M200 230c-70-10-100-70-90-120 50 10 86 50 90 120zm0 0c-6-80 30-130 84-150 16 60-10 130-84 150zm0 0c-30-70-20-140 10-180 34 50 30 120-10 180z" fill="#5f8f63"/><path d="M200 230c-40-40-62-70-90-120m90 120c20-60 50-100 84-150" fill="none" stroke="#3f6b4c" stroke-width="3"/><path d="M136 224h128l-16 96h-96z" fill="%[1]s"/><path d="M128 214h144v24H128z" fill="%[2]s"/>`,
	"can":      `<path d="M250 210 330 130l20 16-84 120z" fill="%[2]s"/><path d="M120 180h140v110q0 30-30 30h-80q-30 0-30-30z" fill="%[1]s"/><path d="M128 180q-60-80 20-110t100 110" fill="none" stroke="%[2]s" stroke-width="12"/><path d="M134 196h18v108q-18-4-18-20z" fill="%[3]s"/>`,
	"pan":      `<path d="M250 230h120v20H250z" fill="%[2]s"/><path d="M60 210h220q0 76-60 76H120q-60 0-60-76z" fill="%[1]s"/><path d="M78 222q6 44 40 52-20-24-20-52z" fill="%[3]s"/><ellipse cx="170" cy="210" rx="110" ry="18" fill="%[2]s"/>`,
	"knife":    `<path d="M60 240q120-100 220-100v34L110 252z" fill="%[3]s"/><path d="M60 240q120-90 220-80v14L110 252z" fill="#c9c6c0"/><path d="m276 136 70-14q16 0 14 18t-16 20l-68 16z" fill="%[1]s"/><circle cx="300" cy="152" r="5" fill="%[2]s"/><circle cx="330" cy="146" r="5" fill="%[2]s"/>`,
	"board":    `<path d="M110 120h150q24 0 24 24v152q0 24-24 24H110q-24 0-24-24V144q0-24 24-24z" fill="%[1]s"/><path d="M284 190h46q16 0 16 16v22q0 16-16 16h-46z" fill="%[1]s"/><circle cx="324" cy="217" r="9" fill="%[2]s"/><path d="M96 170q90-16 180 0M96 220q90 18 180 0M96 270q90-12 180 0" fill="none" stroke="%[2]s" stroke-width="3"/>`,
	"book":     `<path d="M120 84h150v216H120q-16 0-16-16V100q0-16 16-16z" fill="%[1]s"/><path d="M104 290q0-14 16-14h150v44H120q-16 0-16-16z" fill="#f4eee2"/><path d="M120 276h150M116 320h154" stroke="%[2]s" stroke-width="4"/><path d="M146 120h98v12h-98zm0 24h70v8h-70z" fill="%[3]s"/><circle cx="195" cy="214" r="30" fill="%[3]s"/>`,
	"speaker":  `<path d="M130 80h140q12 0 12 12v216q0 12-12 12H130q-12 0-12-12V92q0-12 12-12z" fill="%[1]s"/><circle cx="200" cy="138" r="28" fill="%[2]s"/><circle cx="200" cy="138" r="10" fill="%[3]s"/><circle cx="200" cy="242" r="56" fill="%[2]s"/><circle cx="200" cy="242" r="38" fill="%[3]s"/><circle cx="200" cy="242" r="15" fill="%[2]s"/>`,
	"phones":   `<path d="M100 240q-6-140 100-140t100 140" fill="none" stroke="%[2]s" stroke-width="16"/><rect x="80" y="210" width="56" height="96" rx="26" fill="%[1]s"/><rect x="264" y="210" width="56" height="96" rx="26" fill="%[1]s"/><rect x="122" y="222" width="18" height="72" rx="9" fill="%[3]s"/><rect x="260" y="222" width="18" height="72" rx="9" fill="%[3]s"/>`,
	"record":   `<path d="M70 130h260v190H70z" fill="%[1]s"/><path d="M70 130h260v14H70z" fill="%[3]s"/><circle cx="180" cy="228" r="76" fill="#262422"/><circle cx="180" cy="228" r="56" fill="none" stroke="#3c3936" stroke-width="3"/><circle cx="180" cy="228" r="24" fill="%[3]s"/><path d="M296 160v70l-44 34" fill="none" stroke="%[2]s" stroke-width="7"/>`,
	"candle":   `<path d="M200 96q26 30 0 54-26-24 0-54z" fill="#f0b34a"/><path d="M198 146h4v20h-4z" fill="#3c3936"/><path d="M140 166h120v138q0 16-16 16h-88q-16 0-16-16z" fill="%[1]s"/><path d="M154 180h14v128h-4q-10 0-10-10z" fill="%[3]s"/><path d="M166 214h68v54h-68z" fill="%[3]s"/>`,
	"basket":   `<path d="M130 190q70-130 140 0" fill="none" stroke="%[2]s" stroke-width="12"/><path d="M90 190h220l-24 130H114z" fill="%[1]s"/><path d="m104 222 194 0M110 254h182M116 286h170M150 190l10 130m40-130v130m50-130-10 130" stroke="%[2]s" stroke-width="4"/><path d="M84 180h232v18H84z" fill="%[3]s"/>`,
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
