// Package explain says of each GPU of a layout why it is cut as it is, and what the
// same work would cost in other ways: cut in the next best way, on GPUs of its own
// for each model, or on equal shares. Money is what one would pay; what a slice is
// worth elsewhere is its price in the layout's certificate.
//
// Every number is an answer of package packing to a small question about one GPU, so
// it rests on the same rules of fitting as the layout itself.
package explain
