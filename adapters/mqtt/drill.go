package mqtt

import (
	"errors"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// A drill of less than a minute shows nothing, in one of more than a few hours the vendor's plan
// grows old; {"drill":true} is one of the usual length.
const (
	shortestDrill = time.Minute
	usualDrill    = 10 * time.Minute
	longestDrill  = 4 * time.Hour
)

// drill reads {"drill":"10m"}, {"drill":true} and {"drill":false}.
func (r reader) drill(length gateway.Value, w *wish) (gateway.Ask, error) {
	if err := w.rest("drill alone"); err != nil {
		return nil, err
	}
	switch length {
	case gateway.Flag(false):
		return gateway.EndDrill{}, nil
	case gateway.Flag(true):
		return gateway.StartDrill{For: usualDrill}, nil
	}
	if length.Word() == "" {
		return nil, errors.New(`"drill" is a time such as "10m", or false to end one`)
	}
	d, err := duration(length.Word())
	switch {
	case err != nil:
		return nil, fmt.Errorf(`"drill" is a time such as "10m", or false to end one, not %q`, length)
	case d < shortestDrill || d > longestDrill:
		return nil, fmt.Errorf("a drill lasts between a minute and four hours, not %v", d)
	}
	return gateway.StartDrill{For: d}, nil
}
