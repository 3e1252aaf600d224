package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// wire sits under the client. The client's generated types lack members that the API has (a packet's
// headers, the deciding rule of an observation, the parent of a container's port): a step sends
// them by replacing the next body, and reads them from the reply as it came. Path, session and
// decoding stay the client's own.
type wire struct {
	next  http.RoundTripper
	body  []byte
	reply []byte
}

// RoundTrip sends a call on, with the body that was set for it.
func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	if w.body != nil {
		request = request.Clone(request.Context())
		request.Body = io.NopCloser(bytes.NewReader(w.body))
		request.ContentLength = int64(len(w.body))
		request.Header.Del("Content-Length")
		w.body = nil
	}
	reply, err := w.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	if w.reply, err = io.ReadAll(reply.Body); err != nil {
		return nil, err
	}
	reply.Body = io.NopCloser(bytes.NewReader(w.reply))
	return reply, nil
}

// send replaces the body of the next call.
func (w *wire) send(body any) {
	text, err := json.Marshal(body)
	must(err)
	w.body = text
}

// read decodes the last reply into what the step wants of it.
func read[T any](w *wire) (value T) {
	must(json.Unmarshal(w.reply, &value))
	return value
}

// code is the error code of the last reply.
func (w *wire) code() int {
	return read[struct {
		Code int `json:"error_code"`
	}](w).Code
}
