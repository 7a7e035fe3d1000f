package transport

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// maxUnixPath is how long the path of a unix socket may be: sun_path without its final NUL, unix(7).
const maxUnixPath = 107

const allowedURLs = "allowed: tcp://host:port and unix:///path, with ?framing=delimited|length32|unframed"

// URL says where to listen or to connect, and how messages are framed there.
type URL struct {
	Network string  // "tcp" or "unix"
	Address string  // host:port (IPv6 in brackets, an empty host is every address), or the socket's absolute path
	Framing Framing // nil is Delimited
}

// ParseURL parses tcp://host:port or unix:///path, with an optional ?framing=. Port 0 lets the system choose one.
// The error is one line that names the URL, what is wrong with it, and what is allowed.
func ParseURL(s string) (URL, error) {
	wrong := func(format string, args ...any) (URL, error) {
		return URL{}, fmt.Errorf("url %q: %s (%s)", s, fmt.Sprintf(format, args...), allowedURLs)
	}
	u, err := url.Parse(s)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return wrong("%v", err)
	}
	parsed := URL{Network: u.Scheme, Framing: Delimited}
	switch {
	case u.Scheme == "":
		return wrong("no scheme")
	case u.Scheme != "tcp" && u.Scheme != "unix":
		return wrong("unknown scheme %q", u.Scheme)
	case u.Opaque != "":
		return wrong("no // after %q", u.Scheme+":")
	case u.User != nil:
		return wrong("user information %q", u.User.Username())
	case strings.Contains(s, "#"):
		return wrong("fragment %q", u.Fragment)
	}
	if u.Scheme == "tcp" {
		switch {
		case u.Path != "":
			return wrong("path %q on tcp", u.Path)
		case u.Port() == "":
			return wrong("no port in %q", u.Host)
		case !validPort(u.Port()):
			return wrong("port %q is over 65535", u.Port())
		}
		parsed.Address = u.Host
	} else {
		switch {
		case u.Host != "":
			return wrong("host %q on unix", u.Host)
		case u.Path == "" || u.Path == "/":
			return wrong("empty path")
		case strings.Contains(u.Path, "\x00"):
			return wrong("NUL in path %q", u.Path)
		case len(u.Path) > maxUnixPath:
			return wrong("path of %d bytes, a socket's can have %d", len(u.Path), maxUnixPath)
		}
		parsed.Address = u.Path
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return wrong("query %q: %v", u.RawQuery, err)
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		values := query[key]
		if key != "framing" {
			return wrong("unknown query key %q", key)
		}
		if len(values) != 1 {
			return wrong("query key %q given %d times", key, len(values))
		}
		if parsed.Framing, err = FramingByName(values[0]); err != nil {
			return wrong("unknown framing %q", values[0])
		}
	}
	return parsed, nil
}

// validPort tells whether s, which holds digits only, is at most 65535.
func validPort(s string) bool {
	port := 0
	for _, digit := range s {
		if port = port*10 + int(digit-'0'); port > 65535 {
			return false
		}
	}
	return true
}

// String returns the URL as ParseURL takes it; the framing is left out if it is the default, delimited.
func (u URL) String() string {
	s := url.URL{Scheme: u.Network}
	if u.Network == "unix" {
		s.Path = u.Address
	} else {
		s.Host = u.Address
	}
	if u.Framing != nil && u.Framing != Delimited {
		s.RawQuery = "framing=" + url.QueryEscape(u.Framing.Name())
	}
	return s.String()
}
