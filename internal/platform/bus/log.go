package bus

// Log names the event log of one module, by the module's name. Contracts declare theirs:
//
//	const Log bus.Log = "catalog"
type Log string
