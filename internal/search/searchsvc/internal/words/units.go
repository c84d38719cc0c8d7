package words

import (
	"math"
	"strconv"
	"strings"
)

// units are what is measured in, as people write it and as terms have it.
var units = func() map[string]string {
	m := map[string]string{}
	for unit, names := range map[string]string{
		"kb": "kilobyte kilobytes", "mb": "megabyte megabytes mbyte", "gb": "gigabyte gigabytes gbyte gig gigs", "tb": "terabyte terabytes tbyte",
		"bit": "bits", "mbit": "mbits mbps megabit", "gbit": "gbits gbps gigabit",
		"hz": "hertz", "khz": "kilohertz", "mhz": "megahertz", "ghz": "gigahertz",
		"mm": "millimeter millimeters millimetre millimetres", "cm": "centimeter centimeters centimetre centimetres",
		"m": "meter meters metre metres", "km": "kilometer kilometers kilometre kilometres",
		"in": "inch inches zoll", "ft": "foot feet", "yd": "yard yards", "sqm": "m2", "mp": "megapixel megapixels mpix", "px": "pixel pixels",
		"mg": "", "g": "gr gram grams gramme grammes", "kg": "kgs kilo kilos kilogram kilograms", "oz": "ounce ounces", "lb": "lbs pound pounds",
		"ml": "milliliter milliliters millilitre millilitres", "cl": "", "l": "liter liters litre litres",
		"v": "volt volts", "mv": "", "w": "watt watts", "kw": "kilowatt kilowatts", "wh": "", "kwh": "", "mah": "", "ah": "", "va": "", "kva": "",
		"ma": "", "amp": "amps ampere amperes", "db": "decibel decibels", "lm": "lumen lumens", "btu": "", "dpi": "", "rpm": "", "fps": "", "ppm": "",
		"ms": "", "mins": "min minute minutes", "hours": "hour hrs", "k": "",
	} {
		m[unit] = unit
		for name := range strings.FieldsSeq(names) {
			m[name] = unit
		}
	}
	return m
}()

// unitBehind is the unit that stands right behind a number; "" for none.
func unitBehind(s string) string {
	if s == "" || len(s) > 12 {
		return ""
	}
	return units[s]
}

// unitApart is the unit that stands behind a number and a space. There, a letter is a unit
// only if it is hardly ever anything else.
func unitApart(s string) string {
	switch {
	case len(s) > 12 || s == "k":
		return ""
	default:
		return units[s]
	}
}

// inchesToCm is the centimetres of an inch.
const inchesToCm = 2.54

// sameSize is a size in inches as one in centimetres and the reverse, to a tenth; "" for other
// measures. Screens and rolls are sold by either.
func sameSize(measure string) string {
	value, unit, factor := "", "", 1.0
	if s, ok := strings.CutSuffix(measure, "in"); ok {
		value, unit, factor = s, "cm", inchesToCm
	} else if s, ok := strings.CutSuffix(measure, "cm"); ok {
		value, unit, factor = s, "in", 1/inchesToCm
	}
	n, err := strconv.ParseFloat(strings.Replace(value, point, ".", 1), 64)
	if err != nil || n <= 0 || n > 1000 {
		return ""
	}
	tenths := strconv.FormatFloat(math.Round(n*factor*10)/10, 'f', -1, 64)
	return strings.Replace(tenths, ".", point, 1) + unit
}
