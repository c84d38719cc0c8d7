package storefront

import (
	"slices"
	"strings"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/storefront/views"
)

// postalFields are the fields of an address in a form, without their prefix.
var postalFields = []fieldName{
	{"name", "name", "The name"},
	{"line1", "line1", "Street and number"},
	{"line2", "line2", "The second line"},
	{"postal_code", "postal_code", "The postal code"},
	{"city", "city", "The city"},
	{"region", "region", "The region"},
	{"country", "country", "The country"},
	{"phone", "phone", "The phone number"},
}

// postalNames are the fields of an address as a request calls them under at, and a form
// with prefix.
func postalNames(at, prefix string) []fieldName {
	out := make([]fieldName, 0, len(postalFields))
	for _, f := range postalFields {
		out = append(out, fieldName{request: at + "." + f.request, form: prefix + f.form, label: f.label})
	}
	return out
}

// postal reads an address from the form.
func (v *visit) postal(prefix string) accounts.Postal {
	return accounts.Postal{
		Name: v.field(prefix + "name"), Line1: v.field(prefix + "line1"), Line2: v.field(prefix + "line2"),
		PostalCode: v.field(prefix + "postal_code"), City: v.field(prefix + "city"), Region: strings.ToUpper(v.field(prefix + "region")),
		Country: strings.ToUpper(v.field(prefix + "country")), Phone: v.field(prefix + "phone"),
	}
}

// postalValues are an address as the fields of a form.
func postalValues(a accounts.Postal) map[string]string {
	return map[string]string{
		"name": a.Name, "line1": a.Line1, "line2": a.Line2, "postal_code": a.PostalCode,
		"city": a.City, "region": a.Region, "country": a.Country, "phone": a.Phone,
	}
}

// postalLines is an address as one writes it on a parcel.
func postalLines(a accounts.Postal) []string {
	place := strings.TrimSpace(a.PostalCode + " " + a.City)
	if a.Region != "" {
		place = strings.TrimSpace(a.City + ", " + a.Region + " " + a.PostalCode)
	}
	return filled(a.Name, a.Line1, a.Line2, place, countryName(a.Country))
}

// legalLines is who a seller is by law.
func legalLines(l catalog.LegalParty) []string {
	lines := filled(l.Name, l.Line1, l.Line2, strings.TrimSpace(l.PostalCode+" "+l.City), countryName(l.Country))
	if l.TaxID != "" {
		lines = append(lines, "Tax number "+l.TaxID)
	}
	return append(lines, filled(l.Email)...)
}

// filled are the texts that say something.
func filled(texts ...string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return strings.TrimSpace(s) == "" })
}

// countryChoices are all countries by name, with one of them chosen.
func countryChoices(chosen string) []views.Choice {
	out := make([]views.Choice, 0, len(countries)+1)
	out = append(out, views.Choice{Text: "Choose a country", Chosen: chosen == ""})
	for _, c := range countries {
		out = append(out, views.Choice{Value: c.code, Text: c.name, Chosen: c.code == chosen})
	}
	return out
}

// countryName is a country's name, or its code when it has none here.
func countryName(code string) string {
	if name, ok := countryNames[code]; ok {
		return name
	}
	return code
}

type country struct{ code, name string }

// countries are those of ISO 3166-1 by their names in English.
var countries, countryNames = func() ([]country, map[string]string) {
	var all []country
	names := map[string]string{}
	for entry := range strings.SplitSeq(iso3166, "|") {
		code, name, _ := strings.Cut(strings.TrimSpace(entry), " ")
		all, names[code] = append(all, country{code, name}), name
	}
	return all, names
}()

const iso3166 = `AF Afghanistan|AX Åland Islands|AL Albania|DZ Algeria|AS American Samoa|AD Andorra|AO Angola|AI Anguilla|AQ Antarctica|
AG Antigua and Barbuda|AR Argentina|AM Armenia|AW Aruba|AU Australia|AT Austria|AZ Azerbaijan|BS Bahamas|BH Bahrain|BD Bangladesh|
BB Barbados|BY Belarus|BE Belgium|BZ Belize|BJ Benin|BM Bermuda|BT Bhutan|BO Bolivia|BQ Bonaire, Sint Eustatius and Saba|
BA Bosnia and Herzegovina|BW Botswana|BV Bouvet Island|BR Brazil|IO British Indian Ocean Territory|VG British Virgin Islands|
BN Brunei|BG Bulgaria|BF Burkina Faso|BI Burundi|KH Cambodia|CM Cameroon|CA Canada|CV Cape Verde|KY Cayman Islands|
CF Central African Republic|TD Chad|CL Chile|CN China|CX Christmas Island|CC Cocos Islands|CO Colombia|KM Comoros|CG Congo|
CD Congo, Democratic Republic|CK Cook Islands|CR Costa Rica|CI Côte d’Ivoire|HR Croatia|CU Cuba|CW Curaçao|CY Cyprus|CZ Czechia|
DK Denmark|DJ Djibouti|DM Dominica|DO Dominican Republic|EC Ecuador|EG Egypt|SV El Salvador|GQ Equatorial Guinea|ER Eritrea|
EE Estonia|SZ Eswatini|ET Ethiopia|FK Falkland Islands|FO Faroe Islands|FJ Fiji|FI Finland|FR France|GF French Guiana|
PF French Polynesia|TF French Southern Territories|GA Gabon|GM Gambia|GE Georgia|DE Germany|GH Ghana|GI Gibraltar|GR Greece|
GL Greenland|GD Grenada|GP Guadeloupe|GU Guam|GT Guatemala|GG Guernsey|GN Guinea|GW Guinea-Bissau|GY Guyana|HT Haiti|
HM Heard Island and McDonald Islands|HN Honduras|HK Hong Kong|HU Hungary|IS Iceland|IN India|ID Indonesia|IR Iran|IQ Iraq|
IE Ireland|IM Isle of Man|IL Israel|IT Italy|JM Jamaica|JP Japan|JE Jersey|JO Jordan|KZ Kazakhstan|KE Kenya|KI Kiribati|
KW Kuwait|KG Kyrgyzstan|LA Laos|LV Latvia|LB Lebanon|LS Lesotho|LR Liberia|LY Libya|LI Liechtenstein|LT Lithuania|
LU Luxembourg|MO Macao|MG Madagascar|MW Malawi|MY Malaysia|MV Maldives|ML Mali|MT Malta|MH Marshall Islands|MQ Martinique|
MR Mauritania|MU Mauritius|YT Mayotte|MX Mexico|FM Micronesia|MD Moldova|MC Monaco|MN Mongolia|ME Montenegro|MS Montserrat|
MA Morocco|MZ Mozambique|MM Myanmar|NA Namibia|NR Nauru|NP Nepal|NL Netherlands|NC New Caledonia|NZ New Zealand|NI Nicaragua|
NE Niger|NG Nigeria|NU Niue|NF Norfolk Island|KP North Korea|MK North Macedonia|MP Northern Mariana Islands|NO Norway|OM Oman|
PK Pakistan|PW Palau|PS Palestine|PA Panama|PG Papua New Guinea|PY Paraguay|PE Peru|PH Philippines|PN Pitcairn|PL Poland|
PT Portugal|PR Puerto Rico|QA Qatar|RE Réunion|RO Romania|RU Russia|RW Rwanda|BL Saint Barthélemy|
SH Saint Helena, Ascension and Tristan da Cunha|KN Saint Kitts and Nevis|LC Saint Lucia|MF Saint Martin|
PM Saint Pierre and Miquelon|VC Saint Vincent and the Grenadines|WS Samoa|SM San Marino|ST São Tomé and Príncipe|SA Saudi Arabia|
SN Senegal|RS Serbia|SC Seychelles|SL Sierra Leone|SG Singapore|SX Sint Maarten|SK Slovakia|SI Slovenia|SB Solomon Islands|
SO Somalia|ZA South Africa|GS South Georgia and the South Sandwich Islands|KR South Korea|SS South Sudan|ES Spain|LK Sri Lanka|
SD Sudan|SR Suriname|SJ Svalbard and Jan Mayen|SE Sweden|CH Switzerland|SY Syria|TW Taiwan|TJ Tajikistan|TZ Tanzania|TH Thailand|
TL Timor-Leste|TG Togo|TK Tokelau|TO Tonga|TT Trinidad and Tobago|TN Tunisia|TR Türkiye|TM Turkmenistan|
TC Turks and Caicos Islands|TV Tuvalu|VI U.S. Virgin Islands|UG Uganda|UA Ukraine|AE United Arab Emirates|GB United Kingdom|
US United States|UM United States Minor Outlying Islands|UY Uruguay|UZ Uzbekistan|VU Vanuatu|VA Vatican City|VE Venezuela|
VN Vietnam|WF Wallis and Futuna|EH Western Sahara|YE Yemen|ZM Zambia|ZW Zimbabwe`
