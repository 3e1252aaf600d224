package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"reflect"
	"sort"
	"strings"
)

// steps counts what passed and what failed.
type steps struct {
	passed, failed int
}

// failure is why a step did not pass; must and equal raise it and step catches it.
type failure string

// step runs one named step and says whether it passed. A failed one stops none of the later ones.
func (s *steps) step(name string, run func()) {
	defer func() {
		if why := recover(); why != nil {
			s.failed++
			fmt.Printf("FAIL go: %s: %s\n", name, strings.Join(strings.Fields(fmt.Sprint(why)), " "))
			return
		}
		s.passed++
		fmt.Printf("PASS go: %s\n", name)
	}()
	run()
}

// must fails the step on an error.
func must(err error) {
	if err != nil {
		panic(failure(err.Error()))
	}
}

// got is the value of a call that has to succeed.
func got[T any](value T, _ *http.Response, err error) T {
	must(err)
	return value
}

// done is for calls that reply with nothing.
func done(_ *http.Response, err error) {
	must(err)
}

// status is that of a reply, wanted or not.
func status[T any](_ T, reply *http.Response, err error) int {
	return bare(reply, err)
}

// bare is the status of a call that replies with nothing.
func bare(reply *http.Response, err error) int {
	if reply == nil {
		panic(failure(fmt.Sprint("no reply: ", err)))
	}
	return reply.StatusCode
}

// equal fails the step unless both are equal.
func equal[T any](actual, wanted T, what string) {
	if !reflect.DeepEqual(actual, wanted) {
		panic(failure(fmt.Sprintf("%s: is %v, wanted %v", what, actual, wanted)))
	}
}

// same fails the step unless both hold the same strings, in any order.
func same(actual, wanted []string, what string) {
	sort.Strings(actual)
	sorted := append([]string{}, wanted...)
	sort.Strings(sorted)
	equal(strings.Join(actual, " "), strings.Join(sorted, " "), what)
}

// each maps a list.
func each[T, U any](items []T, of func(T) U) []U {
	out := make([]U, 0, len(items))
	for _, item := range items {
		out = append(out, of(item))
	}
	return out
}

// silently keeps the client's warnings out of the output where a refusal is wanted.
func silently(run func()) {
	log.SetOutput(io.Discard)
	defer log.SetOutput(os.Stderr)
	run()
}
