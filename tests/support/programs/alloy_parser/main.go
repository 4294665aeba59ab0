// Reads a configuration file with Alloy's parser. It prints errors and ends with status 1, or prints nothing.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/alloy/syntax/parser"
)

func main() {
	file := os.Args[1]
	text, err := os.ReadFile(file)
	if err == nil {
		_, err = parser.ParseFile(file, text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
