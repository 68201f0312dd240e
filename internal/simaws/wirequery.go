package simaws

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queryWire is the AWS query protocol: a form in, XML out.
func queryWire(namespace, denied string, operations map[string]operation) wire {
	return wire{
		name: func(_ *http.Request, body []byte) string {
			v, _ := url.ParseQuery(string(body))
			return v.Get("Action")
		},
		result: func(r *request, v any) response {
			root := el(r.operation + "Response")
			root.space = namespace
			if kids, ok := v.([]node); ok {
				root.kids = append(root.kids, el(r.operation+"Result", kids))
			}
			root.kids = append(root.kids, el("ResponseMetadata", el("RequestId", r.id)))
			return xmlResponse(200, root)
		},
		failure: func(r *request, e *apiError) response {
			kind := "Sender"
			if e.Status >= 500 {
				kind = "Receiver"
			}
			root := el("ErrorResponse", el("Error", el("Type", kind), el("Code", e.Code), el("Message", e.Message)),
				el("RequestId", r.id))
			root.space = namespace
			return xmlResponse(orStatus(e.Status, 400), root)
		},
		throttle:   apiError{Code: "Throttling", Message: "Rate exceeded", Status: 400},
		deniedCode: denied,
		strange:    "InvalidClientTokenId", noOperation: "InvalidAction",
		operations: operations,
	}
}

// form is a query request's parameters.
type form struct{ v url.Values }

// queryCall makes an operation out of a function over the form. A parameter
// whose name, up to the first dot, is not in the list is refused loudly.
func queryCall(writes bool, parameters string, f func(r *request, in form) ([]node, error)) operation {
	known := append(strings.Fields(parameters), "Action", "Version")
	return operation{writes: writes, run: func(r *request) (any, error) {
		v, err := url.ParseQuery(string(r.body))
		if err != nil {
			return nil, fail("MalformedQueryString", err.Error())
		}
		for name := range v {
			if head, _, _ := strings.Cut(name, "."); !slices.Contains(known, head) {
				return nil, r.unknownParameter("parameter " + name)
			}
		}
		out, err := f(r, form{v})
		if err != nil {
			return nil, err
		}
		if out == nil {
			return nil, nil
		}
		return out, nil
	}}
}

func (f form) get(name string) string { return f.v.Get(name) }
func (f form) has(name string) bool   { return f.v.Has(name) }

// list reads name.member.1, name.member.2, …
func (f form) list(name string) []string {
	var out []string
	for i := 1; ; i++ {
		key := name + ".member." + strconv.Itoa(i)
		if !f.v.Has(key) {
			return out
		}
		out = append(out, f.v.Get(key))
	}
}

// node is an XML element with text or children.
type node struct {
	name, space, text string
	kids              []node
}

// el makes an element out of strings, numbers, bools, times, nodes.
func el(name string, content ...any) node {
	n := node{name: name}
	for _, c := range content {
		switch v := c.(type) {
		case string:
			n.text += v
		case bool:
			n.text += strconv.FormatBool(v)
		case int:
			n.text += strconv.Itoa(v)
		case time.Time:
			n.text += v.UTC().Format("2006-01-02T15:04:05Z")
		case node:
			n.kids = append(n.kids, v)
		case []node:
			n.kids = append(n.kids, v...)
		default:
			panic("simaws: no XML for this") // every caller is ours
		}
	}
	return n
}

// members makes a list element.
func members[T any](name string, list []T, f func(T) node) node {
	n := node{name: name}
	for _, v := range list {
		m := f(v)
		m.name = "member"
		n.kids = append(n.kids, m)
	}
	return n
}

// textMember is a list member that is a plain string.
func textMember(s string) node { return el("member", s) }

func (n node) write(b *bytes.Buffer) {
	b.WriteString("<" + n.name)
	if n.space != "" {
		b.WriteString(` xmlns="` + n.space + `"`)
	}
	b.WriteByte('>')
	xml.EscapeText(b, []byte(n.text))
	for _, k := range n.kids {
		k.write(b)
	}
	b.WriteString("</" + n.name + ">")
}

func xmlResponse(status int, root node) response {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	root.write(&b)
	return response{status: status, header: map[string]string{"Content-Type": "text/xml"}, body: b.Bytes()}
}
