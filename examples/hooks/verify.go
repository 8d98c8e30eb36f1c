// Verifies a delivery with Go's standard library: go run verify.go SECRET HEADERS.json BODY
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const tolerance = 5 * time.Minute

// Event is what a hook delivers. Data holds the whole record; name the fields that you need.
type Event struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      struct {
		ID        string  `json:"id"`
		State     string  `json:"state"`
		StoredURL *string `json:"stored_url"`
	} `json:"data"`
}

// Verify returns the event, or an error for a call that somebody else made, or that was sent long ago. The body is the
// bytes as they came.
func Verify(body []byte, headers http.Header, secret string) (*Event, error) {
	id, sent := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if id == "" || err != nil {
		return nil, errors.New("a webhook header is missing or wrong")
	}
	if age := time.Since(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return nil, errors.New("it was sent too long ago, or a clock is wrong")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return nil, errors.New("the secret is wrong: whsec_ and base64")
	}
	digest := hmac.New(sha256.New, key)
	fmt.Fprintf(digest, "%s.%s.", id, sent)
	digest.Write(body)
	right := []byte("v1," + base64.StdEncoding.EncodeToString(digest.Sum(nil)))
	for _, one := range strings.Fields(headers.Get("webhook-signature")) {
		if hmac.Equal(right, []byte(one)) {
			event := &Event{}
			return event, json.Unmarshal(body, event)
		}
	}
	return nil, errors.New("no signature is right")
}

func main() {
	event, err := fromFiles(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(event.Type, event.Data.ID)
}

func fromFiles(secret, headersPath, bodyPath string) (*Event, error) {
	text, err := os.ReadFile(headersPath)
	if err != nil {
		return nil, err
	}
	var given map[string]string
	if err := json.Unmarshal(text, &given); err != nil {
		return nil, err
	}
	headers := http.Header{}
	for name, value := range given {
		headers.Set(name, value)
	}
	body, err := os.ReadFile(bodyPath)
	if err != nil {
		return nil, err
	}
	return Verify(body, headers, secret)
}
