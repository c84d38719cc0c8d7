package demo

import "souk/internal/catalog"

// shop is one demo seller and what it makes.
type shop struct {
	name, about string
	street, zip string
	city        string
	country     string
	root, hue   string
	colours     []string
	lines       []line
}

// line is a family of goods: every series of it becomes a listing.
type line struct {
	noun     string   // "Desk lamp"
	form     string   // of its picture
	path     []string // below the shop's root category
	cents    int64    // price of the plainest
	grams    int64
	series   []string // names that set listings apart
	byColour bool     // has a variant for each of a few colours
	sizes    []string // or for each size
	made     string   // of what
	care     string   // a sentence on use
	tax      catalog.TaxClass
	titled   string  // what follows the series in a title, instead of the noun
	other    edition // beside the plain one; grand if there is none
}

var (
	largePrint = edition{"large print", 120, "Set in a larger type, for evenings."}
	decaf      = edition{"decaf", 110, "Without the caffeine, with everything else."}
	signed     = edition{"signed", 150, "With the author's name in ink, and a bookmark."}
)

var shops = []shop{
	{
		name: "North Lamp Works", about: "Lamps that are turned, soldered and tested by four people in a former net loft.",
		street: "Hafenstraße 12", zip: "24103", city: "Kiel", country: "DE", root: "Lighting", hue: "42",
		colours: []string{"brass", "charcoal", "forest", "terracotta"},
		lines: []line{
			{noun: "Desk lamp", form: "desklamp", path: []string{"Desk lamps"}, cents: 7900, grams: 1800, series: []string{"Skerry", "Fathom", "Beacon", "Quay", "Pilot", "Halyard"}, byColour: true, made: "steel and turned brass", care: "Takes an E27 bulb up to 40 W; the arm holds wherever you leave it."},
			{noun: "Pendant", form: "pendant", path: []string{"Pendants"}, cents: 12900, grams: 2600, series: []string{"Gannet", "Tern", "Plover", "Eider", "Curlew"}, byColour: true, made: "spun aluminium", care: "Hangs on three metres of woven cable that can be shortened without tools."},
			{noun: "Table lantern", form: "lantern", path: []string{"Lanterns"}, cents: 4900, grams: 1200, series: []string{"Dory", "Cutter", "Ketch", "Yawl"}, made: "powder-coated steel and glass", care: "For candles or a small bulb, indoors and under a roof."},
		},
	},
	{
		name: "Harbour Ceramics", about: "Stoneware for every day, thrown in small batches and fired at 1240 °C.",
		street: "Rua das Olarias 31", zip: "1100-376", city: "Lisboa", country: "PT", root: "Tableware", hue: "200",
		colours: []string{"ocean", "oat", "terracotta", "white"},
		lines: []line{
			{noun: "Mug", form: "mug", path: []string{"Mugs and cups"}, cents: 1800, grams: 380, series: []string{"Tide", "Dune", "Pebble", "Slate", "Foam", "Reed"}, byColour: true, made: "glazed stoneware", care: "Holds 300 ml; dishwasher and microwave do it no harm."},
			{noun: "Bowl", form: "bowl", path: []string{"Bowls"}, cents: 2400, grams: 620, series: []string{"Cove", "Estuary", "Lagoon", "Inlet", "Delta"}, sizes: []string{"Small, 14 cm", "Medium, 18 cm", "Large, 24 cm"}, made: "glazed stoneware", care: "Stacks; goes from the oven to the table."},
			{noun: "Dinner plate", form: "plate", path: []string{"Plates"}, cents: 2600, grams: 780, series: []string{"Horizon", "Moon", "Ripple", "Chalk"}, byColour: true, made: "glazed stoneware", care: "27 cm across, with a rim that stays cool."},
			{noun: "Vase", form: "vase", path: []string{"Vases"}, cents: 3900, grams: 1100, series: []string{"Gull", "Heron", "Egret", "Stilt"}, made: "unglazed stoneware, sealed inside", care: "Watertight; no two are quite alike."},
		},
	},
	{
		name: "Juniper & Oak", about: "Furniture from windfall timber, made to be repaired and to outlive its makers.",
		street: "Storgatan 8", zip: "331 31", city: "Värnamo", country: "SE", root: "Furniture", hue: "28",
		colours: []string{"walnut", "oat", "charcoal", "forest"},
		lines: []line{
			{noun: "Chair", other: edition{"with arms", 130, "With arms to lean on."}, form: "chair", path: []string{"Chairs"}, cents: 18900, grams: 6400, series: []string{"Alder", "Birch", "Rowan", "Aspen", "Hazel"}, byColour: true, made: "oiled oak with a woven back", care: "Comes in one piece; the seat unscrews when it wants new webbing."},
			{noun: "Side table", form: "table", path: []string{"Tables"}, cents: 24900, grams: 9800, series: []string{"Fell", "Moor", "Tarn", "Beck"}, made: "solid oak", care: "Legs screw on by hand; wipe with a damp cloth and oil once a year."},
			{noun: "Bookcase", form: "shelf", path: []string{"Shelves"}, cents: 36900, grams: 21000, series: []string{"Folio", "Quarto", "Octavo"}, sizes: []string{"Three shelves", "Five shelves"}, made: "oak and birch plywood", care: "Fixes to the wall with one bracket, included."},
		},
	},
	{
		name: "Loom Street", about: "Wool, linen and cotton woven on looms older than we are.",
		street: "Weaver's Row 4", zip: "D08 X2T7", city: "Dublin", country: "IE", root: "Textiles", hue: "340",
		colours: []string{"sage", "rose", "indigo", "mustard"},
		lines: []line{
			{noun: "Wool blanket", form: "blanket", path: []string{"Blankets"}, cents: 11900, grams: 1400, series: []string{"Connemara", "Burren", "Skellig", "Inishmore", "Achill"}, byColour: true, made: "new wool, washed soft", care: "140 by 200 cm; air it often and wash it seldom."},
			{noun: "Cushion", form: "cushion", path: []string{"Cushions"}, cents: 4500, grams: 600, series: []string{"Shannon", "Liffey", "Boyne", "Lee", "Nore"}, byColour: true, made: "linen with a feather filling", care: "50 by 50 cm; the cover comes off and goes in the machine at 40 °C."},
			{noun: "Bath towel", form: "towel", path: []string{"Towels"}, cents: 3200, grams: 700, series: []string{"Kerry", "Clare", "Sligo"}, sizes: []string{"50 × 100 cm", "70 × 140 cm", "100 × 150 cm"}, made: "organic cotton waffle", care: "Dries in an hour on the line."},
		},
	},
	{
		name: "Kettle & Crema", about: "Coffee roasted on Tuesdays, tea by the season, and what it takes to make them.",
		street: "Via del Porto 19", zip: "34121", city: "Trieste", country: "IT", root: "Coffee and tea", hue: "18",
		colours: []string{"walnut", "oat", "terracotta", "charcoal"},
		lines: []line{
			{noun: "Coffee beans", other: decaf, form: "bag", path: []string{"Coffee"}, cents: 1290, grams: 260, series: []string{"Bora", "Carso", "Barcola", "Grignano", "Miramare", "Rilke"}, sizes: []string{"250 g", "500 g", "1 kg"}, made: "single-origin arabica", care: "Roasted to order; best between day five and day thirty.", tax: catalog.TaxReduced},
			{noun: "Hand grinder", form: "grinder", path: []string{"Equipment"}, cents: 8900, grams: 900, series: []string{"Molo", "Faro", "Lanterna"}, made: "steel burrs in a beech body", care: "Forty steps from espresso to French press."},
			{noun: "Teapot", form: "teapot", path: []string{"Equipment"}, cents: 5400, grams: 1300, series: []string{"Sencha", "Oolong", "Darjeeling", "Assam"}, byColour: true, made: "cast iron, enamelled inside", care: "Holds 800 ml with a strainer that lifts out."},
		},
	},
	{
		name: "Paper Heron", about: "Notebooks that lie flat and pens that can be refilled.",
		street: "Prinsengracht 402", zip: "1016 JD", city: "Amsterdam", country: "NL", root: "Stationery", hue: "220",
		colours: []string{"indigo", "rose", "forest", "mustard"},
		lines: []line{
			{noun: "Notebook", other: edition{"dotted", 106, "With dots instead of lines."}, form: "notebook", path: []string{"Notebooks"}, cents: 1600, grams: 320, series: []string{"Marsh", "Reedbed", "Polder", "Dyke", "Wader", "Fen"}, byColour: true, made: "100 g paper, sewn, in linen covers", care: "192 numbered pages with a list of contents to fill in."},
			{noun: "Fountain pen", other: edition{"broad", 108, "With a broad nib, for signatures and thinking."}, form: "pen", path: []string{"Pens"}, cents: 4200, grams: 40, series: []string{"Quill", "Pinion", "Vane", "Barb"}, byColour: true, made: "brass with a steel nib", care: "Takes standard cartridges or the converter that comes with it."},
			{noun: "Sketchbook", form: "book", path: []string{"Notebooks"}, cents: 2200, grams: 540, series: []string{"Low sky", "Long light", "Grey day"}, made: "200 g cotton paper", care: "Takes ink and light washes without complaint."},
		},
	},
	{
		name: "Trailhead Supply", about: "Few things, light and mendable, tried on our own backs.",
		street: "Bahnhofplatz 3", zip: "6460", city: "Imst", country: "AT", root: "Outdoors", hue: "140",
		colours: []string{"forest", "mustard", "ocean", "terracotta"},
		lines: []line{
			{noun: "Tent", other: edition{"winter", 140, "With snow flaps and a heavier floor."}, form: "tent", path: []string{"Tents"}, cents: 38900, grams: 2300, series: []string{"Arlberg", "Silvretta", "Lechtal", "Pitztal"}, sizes: []string{"Two people", "Three people"}, made: "ripstop nylon on aluminium poles", care: "Stands in four minutes; every seam is taped."},
			{noun: "Water bottle", form: "bottle", path: []string{"Bottles"}, cents: 2900, grams: 340, series: []string{"Inn", "Ötz", "Sill", "Ziller", "Isel"}, byColour: true, made: "steel with two walls", care: "Keeps 750 ml cold for a day or hot for half of one."},
			{noun: "Backpack", other: edition{"expedition", 140, "With a lid, a second frame and room for a tent."}, form: "backpack", path: []string{"Packs"}, cents: 12900, grams: 980, series: []string{"Steig", "Grat", "Joch", "Spitze"}, byColour: true, made: "waxed canvas", care: "28 litres, a frame that bends to your back, lifetime mending."},
		},
	},
	{
		name: "Little Foxes", about: "Toys of wood and wool that do nothing by themselves, which is the point.",
		street: "Rue de la Fontaine 5", zip: "39260", city: "Moirans-en-Montagne", country: "FR", root: "Toys", hue: "12",
		colours: []string{"mustard", "rose", "ocean", "sage"},
		lines: []line{
			{noun: "Building blocks", form: "blocks", path: []string{"Wooden toys"}, cents: 3900, grams: 1500, series: []string{"Castle", "Village", "Harbour", "Bridge"}, sizes: []string{"24 pieces", "48 pieces", "96 pieces"}, made: "limewood, water-based paint", care: "From eighteen months; edges sanded by hand."},
			{noun: "Bear", form: "bear", path: []string{"Soft toys"}, cents: 3400, grams: 280, series: []string{"Basile", "Capucine", "Firmin", "Odette", "Zéphyr"}, byColour: true, made: "wool felt filled with wool", care: "Washes at 30 °C, dries slowly, forgives everything."},
		},
	},
	{
		name: "Verdant", about: "Plants that are hard to kill and pots that are worth keeping.",
		street: "Calle de las Huertas 22", zip: "46001", city: "València", country: "ES", root: "Garden", hue: "110",
		colours: []string{"terracotta", "white", "sage", "charcoal"},
		lines: []line{
			{noun: "Potted plant", other: edition{"tall", 160, "Grown for a year longer, to stand on the floor."}, form: "plant", path: []string{"Plants"}, cents: 2100, grams: 1800, series: []string{"Rubber fig", "Peace lily", "Snake plant", "Spider plant", "Cast-iron plant", "Swiss cheese plant"}, byColour: true, made: "a living plant in a clay pot", care: "Water it when the soil is dry to the first knuckle."},
			{noun: "Watering can", form: "can", path: []string{"Tools"}, cents: 2700, grams: 700, series: []string{"Acequia", "Noria", "Aljibe"}, byColour: true, made: "galvanised steel", care: "Holds three litres; the rose comes off."},
		},
	},
	{
		name: "Copper Pan", about: "Kitchen tools for people who cook on weekdays.",
		street: "Kupferschmiedgasse 7", zip: "96047", city: "Bamberg", country: "DE", root: "Kitchen", hue: "24",
		colours: []string{"brass", "charcoal", "walnut", "terracotta"},
		lines: []line{
			{noun: "Frying pan", form: "pan", path: []string{"Pans"}, cents: 9800, grams: 1900, series: []string{"Franconia", "Regnitz", "Main", "Altenburg"}, sizes: []string{"20 cm", "24 cm", "28 cm"}, made: "carbon steel, seasoned", care: "Any stove, any oven; wipe it out and it gets better."},
			{noun: "Kitchen knife", other: edition{"left-handed", 115, "Ground for the left hand."}, form: "knife", path: []string{"Knives"}, cents: 11900, grams: 210, series: []string{"Chef", "Santoku", "Paring", "Bread", "Carving"}, made: "carbon steel with a walnut handle", care: "Dry it after use; we sharpen it for free."},
			{noun: "Cutting board", form: "board", path: []string{"Boards"}, cents: 5600, grams: 2100, series: []string{"Butcher", "Baker", "Cheese", "Herb"}, made: "end-grain oak", care: "Kind to edges; oil it when it looks thirsty."},
		},
	},
	{
		name: "Second Story Books", about: "New books that we have read, and a few that we have read twice.",
		street: "Mostowa 2", zip: "31-061", city: "Kraków", country: "PL", root: "Books", hue: "265",
		colours: []string{"indigo", "forest", "terracotta", "mustard"},
		lines: []line{
			{noun: "Novel", titled: ": a novel", other: largePrint, form: "book", path: []string{"Fiction"}, cents: 1490, grams: 420, series: []string{"The Lighthouse Accountant", "A Year of Small Rain", "Salt and Ledger", "The Cartographer's Sister", "Nine Bridges", "The Orchard at Night", "What the Tide Keeps"}, sizes: []string{"Paperback", "Hardcover"}, made: "paper, glue and patience", care: "Read it by a window.", tax: catalog.TaxReduced},
			{noun: "Cookbook", titled: ": a cookbook", other: signed, form: "book", path: []string{"Cooking"}, cents: 2900, grams: 980, series: []string{"Bread Before Breakfast", "The Slow Pot", "One Pan, Two People", "Pickles and Patience"}, made: "pages that wipe clean", care: "Lies open by itself.", tax: catalog.TaxReduced},
			{noun: "Field guide", titled: ": a field guide", other: largePrint, form: "book", path: []string{"Nature"}, cents: 1990, grams: 380, series: []string{"Birds of the Estuary", "Mushrooms, Carefully", "Clouds and What They Mean"}, made: "waterproof paper", care: "Fits a coat pocket.", tax: catalog.TaxReduced},
		},
	},
	{
		name: "Sound Shed", about: "Loudspeakers and headphones built one at a time, with drivers that can be replaced.",
		street: "Vesterbrogade 91", zip: "1620", city: "København", country: "DK", root: "Audio", hue: "185",
		colours: []string{"charcoal", "walnut", "white", "ocean"},
		lines: []line{
			{noun: "Loudspeaker", form: "speaker", path: []string{"Loudspeakers"}, cents: 34900, grams: 5200, series: []string{"Nyhavn", "Amager", "Refshale", "Dragør"}, byColour: true, made: "birch plywood and a paper cone", care: "Sold singly; two make a pair, four make the neighbours curious."},
			{noun: "Headphones", other: edition{"studio", 145, "Matched drivers and a cable that can be trodden on."}, form: "phones", path: []string{"Headphones"}, cents: 18900, grams: 290, series: []string{"Hush", "Murmur", "Whisper"}, byColour: true, made: "aluminium and lambskin", care: "Every part can be ordered and changed with one screwdriver."},
			{noun: "Turntable", other: edition{"studio", 145, "With a heavier platter and a second arm."}, form: "record", path: []string{"Turntables"}, cents: 42900, grams: 6800, series: []string{"Rondo", "Fugue", "Largo"}, made: "a walnut plinth and a glass platter", care: "Belt-driven; 33 and 45 with a flick."},
			{noun: "Scented candle", other: edition{"refill", 80, "Without the glass, for those who have one already."}, form: "candle", path: []string{"Listening corner"}, cents: 2400, grams: 420, series: []string{"Needle drop", "Side B", "Liner notes"}, made: "rapeseed wax", care: "Burns for forty hours, about fifty-three LPs."},
		},
	},
}
