package demo

// Forms is how many kinds of goods can be drawn.
var Forms = len(forms)
