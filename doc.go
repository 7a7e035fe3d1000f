// Package understudy is a TCP server built of actors: it keeps answering while parts of it crash.
package understudy
