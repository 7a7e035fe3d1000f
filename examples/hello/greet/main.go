// Command greet asks hello for a greeting.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"

	"github.com/understudy-go/understudy/examples/hello/pb"
)

func main() {
	ctx := context.Background()
	c, err := client.Dial[*pb.Request, *pb.Reply](ctx, understudy.DefaultListen, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	greeting, err := client.Call[pb.Greeting](ctx, c, &pb.Greet{Name: strings.Join(os.Args[1:], " ")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(greeting.GetText())
}
