package main

import (
	"context"

	"github.com/veilleuse/veilleuse/gateway"
)

// damaged is an adapter that lets people know once what was found damaged of the database when the house came up: the page
// and MQTT show it, too, not only the log.
type damaged string

// Run tells it and takes no commands.
func (d damaged) Run(ctx context.Context, port gateway.Port) error {
	select {
	case <-port.Shown():
		port.Post(gateway.Notice{What: "the database was found damaged", Why: string(d)})
	case <-ctx.Done():
	}
	<-ctx.Done()
	return nil
}
