package transport_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/understudy-go/understudy/transport"
)

func TestParseURL(t *testing.T) {
	for in, want := range map[string]transport.URL{
		"tcp://127.0.0.1:7070":                  {Network: "tcp", Address: "127.0.0.1:7070", Framing: transport.Delimited},
		"tcp://:0":                              {Network: "tcp", Address: ":0", Framing: transport.Delimited},
		"tcp://[::1]:80?framing=length32":       {Network: "tcp", Address: "[::1]:80", Framing: transport.Length32},
		"tcp://[fe80::1%25eth0]:80":             {Network: "tcp", Address: "[fe80::1%eth0]:80", Framing: transport.Delimited},
		"unix:///run/u.sock":                    {Network: "unix", Address: "/run/u.sock", Framing: transport.Delimited},
		"unix:///a%20b/c?framing=unframed":      {Network: "unix", Address: "/a b/c", Framing: transport.Unframed},
		"tcp://example.org:1?framing=delimited": {Network: "tcp", Address: "example.org:1", Framing: transport.Delimited},
	} {
		got, err := transport.ParseURL(in)
		if err != nil || got != want {
			t.Errorf("ParseURL(%q) = %+v, %v; want %+v", in, got, err, want)
		}
		if s := got.String(); s != strings.TrimSuffix(in, "?framing=delimited") {
			t.Errorf("ParseURL(%q).String() = %q", in, s)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for in, word := range map[string]string{
		"":                                    "no scheme",
		"127.0.0.1:7070":                      "colon",
		"localhost:7070":                      `unknown scheme "localhost"`,
		"udp://127.0.0.1:1":                   `unknown scheme "udp"`,
		"tcp:127.0.0.1:1":                     "no //",
		"tcp://me:secret@h:1":                 `user information "me"`,
		"tcp://h:1/x":                         `path "/x"`,
		"tcp://h":                             `no port in "h"`,
		"tcp://":                              "no port",
		"tcp://h:":                            "no port",
		"tcp://h:99999":                       "99999",
		"tcp://h:http":                        "http",
		"tcp://h:1#x":                         `fragment "x"`,
		"tcp://h:1?framing=lines":             `unknown framing "lines"`,
		"tcp://h:1?framing=":                  `unknown framing ""`,
		"tcp://h:1?tls=on":                    `unknown query key "tls"`,
		"tcp://h:1?framing=a&framing=b":       `"framing" given 2 times`,
		"tcp://h:1?a;b":                       "query",
		"unix://":                             "empty path",
		"unix://s.sock":                       `host "s.sock"`,
		"unix:///a%00b":                       "NUL",
		"unix:///" + strings.Repeat("x", 107): "108 bytes",
		"tcp://h:1\n":                         "control",
	} {
		_, err := transport.ParseURL(in)
		if err == nil {
			t.Errorf("ParseURL(%q) accepts it", in)
			continue
		}
		for _, part := range []string{fmt.Sprintf("%q", in), word, "unix:///path", "delimited|length32|unframed"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("ParseURL(%q): %v; does not say %q", in, err, part)
			}
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(strings.Replace(err.Error(), in, "", 1), "secret") {
			t.Errorf("ParseURL(%q): %v: more than one line, or it says too much", in, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"tcp://127.0.0.1:7070", "unix:///run/u.sock?framing=unframed", "tcp://[fe80::1%25eth0]:80", "tcp://h:1?x=y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := transport.ParseURL(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("%q: the error has several lines: %v", s, err)
			}
			return
		}
		again, err := transport.ParseURL(u.String())
		if err != nil || again != u {
			t.Fatalf("%q is %+v, written %q, read %+v, %v", s, u, u.String(), again, err)
		}
	})
}
