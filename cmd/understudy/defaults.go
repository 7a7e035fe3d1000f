package main

import (
	"strconv"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/internal/load"
)

// defaults are the library's, so that --help tells them as they are.
func defaults() kong.Vars {
	return kong.Vars{
		"listen":    understudy.DefaultListen,
		"deadline":  understudy.DefaultDeadline.String(),
		"drain":     understudy.DefaultDrain.String(),
		"maxframe":  bytes(understudy.DefaultMaxFrame),
		"buffer":    bytes(understudy.DefaultReadBuffer),
		"depth":     strconv.Itoa(load.DefaultDepth),
		"opendepth": strconv.Itoa(load.DefaultOpenDepth),
	}
}

func bytes(n uint64) string {
	// "64 KiB" without its space is one word.
	s := humanize.IBytes(n)
	for i := range s {
		if s[i] == ' ' {
			return s[:i] + s[i+1:]
		}
	}
	return s
}
