// Package series reads and writes series as CSV in long form: a header
// series,time,value and one row a bin.
//
// A time is RFC 3339 or integer seconds, one of the two throughout a file, and is
// written again as it was read. An empty value is a gap, and so is a bin without a
// row: nothing is filled in and nothing is resampled. Rows of different series may
// be mixed; rows of one series are in order. Files may be gzipped. What is wrong is
// an [Error] with file, line, column and how to mend it.
package series
