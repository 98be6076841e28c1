// SPDX-License-Identifier: Apache-2.0

// render renders a chart as Helm does: by Go's text/template with sprig's functions, and the few of Helm's own that our
// chart uses.
//
// Usage: render CHART <INPUT    INPUT is the JSON of {"Values", "Release", "Chart"}. Prints the JSON of {file: text}.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
)

type files string

// Get returns a file of the chart, or "" if there is none, as Helm does.
func (chart files) Get(name string) string {
	text, err := os.ReadFile(filepath.Join(string(chart), name))
	if err != nil {
		return ""
	}
	return string(text)
}

func must(err error) {
	if err != nil {
		log.Fatalf("render: %v", err)
	}
}

func main() {
	chart := os.Args[1]
	input := map[string]interface{}{}
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber() // a port is 8765, not 8765.0
	must(decoder.Decode(&input))
	input["Files"] = files(chart)

	root := template.New("chart").Option("missingkey=error")
	functions := sprig.TxtFuncMap()
	functions["include"] = func(name string, data interface{}) (string, error) {
		var text strings.Builder
		err := root.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	root.Funcs(functions)

	names := []string{}
	must(filepath.Walk(filepath.Join(chart, "templates"), func(path string, info os.FileInfo, err error) error {
		must(err)
		if info.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		must(err)
		name, err := filepath.Rel(chart, path)
		must(err)
		_, err = root.New(name).Parse(string(text))
		must(err)
		if !strings.HasPrefix(filepath.Base(name), "_") {
			names = append(names, name)
		}
		return nil
	}))
	rendered := map[string]string{}
	for _, name := range names {
		var text strings.Builder
		must(root.ExecuteTemplate(&text, name, input))
		rendered[name] = text.String()
	}
	must(json.NewEncoder(os.Stdout).Encode(rendered))
}
