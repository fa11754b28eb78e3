// Package httpwire reads HTTP/1 as it crossed: heads byte for byte, and bodies after the transfer coding is undone.
package httpwire
