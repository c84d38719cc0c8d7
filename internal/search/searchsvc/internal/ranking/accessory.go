package ranking

// IsAccessory says whether a term (stemmed) names what goes with something else: behind another
// word it is what the listing is about. A "laptop bag" is a bag.
func IsAccessory(term string) bool {
	_, ok := accessories[term]
	return ok
}

// accessories are the stems of words that sellers of all trades use for what comes with, holds,
// protects, feeds, connects or replaces a part of something. What is also sold for itself, as a
// battery, is hurt little: the word does not count where it was asked for.
var accessories = func() map[string]struct{} {
	m := map[string]struct{}{}
	for _, term := range [...]string{
		"case", "bag", "sleev", "cover", "pouch", "skin", "holster", "backpack", "brief", "messenger", "box", "chest", // carries and keeps
		"protector", "filter", "privaci", "film", "guard", "lock", "mat", "pad", // protects
		"stand", "arm", "mount", "holder", "bracket", "cradl", "dock", "station", "tripod", "wall", "ceil", "rack", "tray", "hook", // holds
		"charger", "adapter", "cabl", "batteri", "cord", "hub", "port", "car", // feeds and connects
		"kit", "part", "spare", "replac", "accessori", "strap", "band", "belt", "screen", "lamp", "bulb", "lid", "handl", "knob", // parts
		"toner", "cartridg", "drum", "roller", "fuser", "ribbon", "paper", "ink", "pack", "clean", "cleaner", "tip", "refil", // is used up
		"remot", "cooler", "fan", "memori", "warranti", "manual", "insur", // comes with it
	} {
		m[term] = struct{}{}
	}
	return m
}()
