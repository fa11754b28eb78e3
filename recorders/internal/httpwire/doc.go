// Package httpwire reads HTTP/1 as it crossed: heads byte for byte, and bodies after the transfer coding is undone.
//
// A [Scanner] cuts one direction of a connection into messages. It takes the bytes in pieces of any size, and survives
// what is missing between them. A message whose framing is broken or ambiguous never comes out as whole.
//
// Memory: a Scanner holds one head of at most [MaxHead] bytes and what [Scanner.Keep] allows of one body.
package httpwire
