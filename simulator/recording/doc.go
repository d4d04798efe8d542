// Package recording reads recorded traffic: files of requests, or of counts or
// rates per bin, in the formats that monitoring systems and published traces have.
// Every format becomes the same rows in time order; what a scenario makes of them
// is package traffic's.
//
// A recording is read as a stream and never trusted: lines, bytes, compression,
// rows and names are bounded, numbers are finite and not negative, and whatever is
// wrong is an *Error with file, line and a way to mend it. What was not recorded
// is no row. It never becomes a zero.
package recording
