package toolbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
)

// A wire is a server on the loopback that answers for all of AWS, in each service's own protocol,
// as its answers say. A tool reaches it as its HTTPS proxy, and then sees AWS's true host names, or
// on the same port as if it were the host itself.
type wire struct {
	listener net.Listener
	inner    chan net.Conn
	ca       *x509.Certificate
	caKey    *ecdsa.PrivateKey
	leafKey  *ecdsa.PrivateKey

	mu      sync.Mutex
	leaves  map[string]*tls.Certificate
	answers []*answer
	bodies  map[string]string // of the answers that name one
	asked   []string          // each request: its name, and whether an answer said no
	denied  int
	blobs   map[string]int // what was uploaded to a registry: digest to size
}

func newWire() (*wire, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "toolbox"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{listener: l, inner: make(chan net.Conn), ca: ca, caKey: key, leafKey: leaf, leaves: map[string]*tls.Certificate{}}
	server := &http.Server{Handler: http.HandlerFunc(w.serve), ReadHeaderTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0)} // a client that mistrusts us says so itself
	go server.Serve(connections{w})
	go w.accept()
	return w, nil
}

func (w *wire) close() { w.listener.Close() }

func (w *wire) addr() string { return w.listener.Addr().String() }

// program sets the answers, and forgets what was asked.
func (w *wire) program(text string, bodies map[string]string) error {
	list, err := parseAnswers(text)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers, w.bodies, w.asked, w.denied, w.blobs = list, bodies, nil, 0, map[string]int{}
	return nil
}

// heard gives what was asked since program, and how often an answer of the program was a refusal.
func (w *wire) heard() ([]string, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked, w.denied
}

// connections feeds http.Server with what accept has made of each connection.
type connections struct{ w *wire }

func (c connections) Accept() (net.Conn, error) {
	conn, ok := <-c.w.inner
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (c connections) Close() error   { return nil }
func (c connections) Addr() net.Addr { return c.w.listener.Addr() }

func (w *wire) accept() {
	for {
		conn, err := w.listener.Accept()
		if err != nil {
			return
		}
		go w.sort(conn)
	}
}

// sort tells TLS from plain HTTP by the first byte, and answers CONNECT.
func (w *wire) sort(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(time.Minute))
	first := make([]byte, 1)
	if _, err := io.ReadFull(conn, first); err != nil {
		conn.Close()
		return
	}
	p := &peeked{Conn: conn, first: first}
	if first[0] == 0x16 {
		conn.SetDeadline(time.Time{})
		w.inner <- tls.Server(p, w.tlsConfig(""))
		return
	}
	if first[0] != 'C' { // not CONNECT, as no other method of ours begins with it
		conn.SetDeadline(time.Time{})
		w.inner <- p
		return
	}
	head, err := readHead(p)
	host, _, _ := strings.Cut(strings.TrimPrefix(head, "CONNECT "), " ")
	host, _, _ = strings.Cut(host, ":")
	if err != nil || !ours(host) {
		w.note("refused: " + host)
		io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		conn.Close()
		return
	}
	io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	conn.SetDeadline(time.Time{})
	w.inner <- tls.Server(conn, w.tlsConfig(host))
}

// ours: only AWS is answered for; every other host is unreachable.
func ours(host string) bool {
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".api.aws") || strings.HasSuffix(host, ".amazonaws.com.")
}

// readHead reads to the end of a request's head, a byte at a time, as what follows belongs to TLS.
func readHead(r io.Reader) (string, error) {
	var b strings.Builder
	one := make([]byte, 1)
	for !strings.HasSuffix(b.String(), "\r\n\r\n") && b.Len() < 8<<10 {
		if _, err := io.ReadFull(r, one); err != nil {
			return "", err
		}
		b.Write(one)
	}
	return b.String(), nil
}

type peeked struct {
	net.Conn
	first []byte
}

func (p *peeked) Read(b []byte) (int, error) {
	if len(p.first) > 0 && len(b) > 0 {
		n := copy(b, p.first)
		p.first = p.first[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

func (w *wire) tlsConfig(host string) *tls.Config {
	return &tls.Config{
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if h.ServerName != "" {
				host = h.ServerName
			}
			return w.leaf(host)
		},
	}
}

func (w *wire) leaf(host string) (*tls.Certificate, error) {
	if host == "" {
		host = "localhost"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.leaves[host]; c != nil {
		return c, nil
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(w.leaves) + 2)), Subject: pkix.Name{CommonName: "toolbox leaf"},
		DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, w.ca, &w.leafKey.PublicKey, w.caKey)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{der, w.ca.Raw}, PrivateKey: w.leafKey}
	w.leaves[host] = c
	return c, nil
}

func (w *wire) note(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, line)
}

// serve answers one request.
func (w *wire) serve(rw http.ResponseWriter, h *http.Request) {
	body, err := io.ReadAll(io.LimitReader(h.Body, 64<<20))
	if err != nil {
		return
	}
	if h.URL.IsAbs() && !ours(h.URL.Hostname()) {
		w.note("refused: " + h.URL.Hostname())
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	q := newRequest(h, body)
	a := w.find(q)
	resp := q.answer(a, w.bodies)
	if a == nil && q.protocol == protocolRegistry {
		resp = w.keep(q, resp)
	}
	if a != nil && a.refuses() {
		w.mu.Lock()
		w.denied++
		w.mu.Unlock()
	}
	for k, v := range resp.header {
		rw.Header().Set(k, v)
	}
	q.stamp(rw.Header())
	if h.Method == http.MethodHead && resp.header["Content-Length"] == "" {
		rw.Header().Set("Content-Length", fmt.Sprint(len(resp.body)))
	}
	rw.WriteHeader(resp.status)
	if h.Method != http.MethodHead {
		io.WriteString(rw, resp.body)
	}
}

// keep remembers what a registry was given, since tools look for it afterwards.
func (w *wire) keep(q *request, resp response) response {
	w.mu.Lock()
	defer w.mu.Unlock()
	if digest := q.http.URL.Query().Get("digest"); digest != "" && resp.status == http.StatusCreated {
		w.blobs[digest] = len(q.body)
	}
	digest := path.Base(q.http.URL.Path)
	if size, ok := w.blobs[digest]; ok && q.http.Method == http.MethodHead {
		return response{200, map[string]string{"Docker-Content-Digest": digest, "Content-Length": fmt.Sprint(size)}, ""}
	}
	return resp
}

// find gives the first answer for a request; nil if the program has none.
func (w *wire) find(q *request) *answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.answers {
		if (a.once && a.used) || !glob(a.pattern, q.name) {
			continue
		}
		a.used = true
		w.asked = append(w.asked, q.name+" => "+a.verb)
		return a
	}
	w.asked = append(w.asked, q.name)
	return nil
}

// glob matches a name with a pattern in which * stands for anything.
func glob(pattern, name string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for i := 0; i <= len(name); i++ {
		if glob(rest, name[i:]) {
			return true
		}
	}
	return false
}

// proxyURL is the server as a tool's HTTPS proxy.
func (w *wire) proxyURL() *url.URL { return &url.URL{Scheme: "http", Host: w.addr()} }
