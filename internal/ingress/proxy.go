package ingress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// errHeader is every fault of a header. What it says is for nobody: whoever
// sent it gets no answer.
var errHeader = errors.New("ingress: no valid PROXY protocol header")

// Sizes of the PROXY protocol (HAProxy, "The PROXY protocol", versions 1 and 2,
// sections 2.1 and 2.2).
const (
	firstRead   = 15  // the shortest header of either version: "PROXY UNKNOWN\r\n"
	v1MaxBytes  = 107 // with its CRLF
	v2HeadBytes = 16
	// v2MaxBytes bounds what follows the head, addresses and extensions; the
	// protocol allows 65535, senders need a few hundred.
	v2MaxBytes = 4096
)

var v2Signature = []byte("\r\n\r\n\x00\r\nQUIT\n")

// readHeader reads one header and not a byte more. The address is that of the
// client, or the zero one where the proxy speaks for itself (LOCAL, UNKNOWN) or
// for a client without an IP address.
func readHeader(r io.Reader) (netip.AddrPort, error) {
	head := make([]byte, firstRead, v1MaxBytes)
	if _, err := io.ReadFull(r, head); err != nil {
		return netip.AddrPort{}, err
	}
	if bytes.HasPrefix(head, v2Signature) {
		return readV2(r, head)
	}
	for !bytes.HasSuffix(head, []byte("\r\n")) {
		if len(head) == v1MaxBytes || !bytes.HasPrefix(head, []byte("PROXY ")) {
			return netip.AddrPort{}, errHeader
		}
		// Byte by byte: what follows the line is not ours.
		if _, err := io.ReadFull(r, head[len(head):len(head)+1]); err != nil {
			return netip.AddrPort{}, err
		}
		head = head[:len(head)+1]
	}
	return parseV1(string(head[:len(head)-2]))
}

// parseV1 reads the line of version 1 without its CRLF.
func parseV1(line string) (netip.AddrPort, error) {
	if line == "PROXY UNKNOWN" || strings.HasPrefix(line, "PROXY UNKNOWN ") {
		return netip.AddrPort{}, nil // "the receiver must ignore anything presented before the CRLF"
	}
	parts := strings.Split(line, " ")
	if len(parts) != 6 || parts[0] != "PROXY" {
		return netip.AddrPort{}, errHeader
	}
	src, err := netip.ParseAddr(parts[2])
	dst, dstErr := netip.ParseAddr(parts[3])
	port, portErr := parsePort(parts[4])
	_, dstPortErr := parsePort(parts[5])
	if errors.Join(err, dstErr, portErr, dstPortErr) != nil || src.Zone() != "" || dst.Zone() != "" {
		return netip.AddrPort{}, errHeader
	}
	switch {
	case parts[1] == "TCP4" && src.Is4() && dst.Is4():
	case parts[1] == "TCP6" && src.Is6() && dst.Is6():
	default:
		return netip.AddrPort{}, errHeader
	}
	return netip.AddrPortFrom(src.Unmap(), port), nil
}

// parsePort takes a decimal number without sign or leading zeros.
func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || s != strconv.FormatUint(n, 10) {
		return 0, errHeader
	}
	return uint16(n), nil
}

// readV2 reads the rest of a header of version 2 after its first bytes.
func readV2(r io.Reader, head []byte) (netip.AddrPort, error) {
	head = head[:v2HeadBytes]
	if _, err := io.ReadFull(r, head[firstRead:]); err != nil {
		return netip.AddrPort{}, err
	}
	size := int(binary.BigEndian.Uint16(head[14:]))
	if head[12]>>4 != 2 || size > v2MaxBytes {
		return netip.AddrPort{}, errHeader
	}
	rest := make([]byte, size)
	if _, err := io.ReadFull(r, rest); err != nil {
		return netip.AddrPort{}, err
	}
	return parseV2(head[12]&0x0f, head[13], rest)
}

// Commands and address families of version 2.
const (
	v2Local = 0x0
	v2Proxy = 0x1

	v2Unspec   = 0x00
	v2TCP4     = 0x11
	v2TCP6     = 0x21
	v2UnixSock = 0x31
)

// parseV2 reads the addresses. What follows them are extensions, which say
// nothing that is trusted here.
func parseV2(command, family byte, rest []byte) (netip.AddrPort, error) {
	if command == v2Local {
		return netip.AddrPort{}, nil // "the receiver must accept [it] and use the real connection endpoints"
	}
	if command != v2Proxy {
		return netip.AddrPort{}, errHeader
	}
	switch {
	case family == v2TCP4 && len(rest) >= 12:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(rest[:4])), binary.BigEndian.Uint16(rest[8:])), nil
	case family == v2TCP6 && len(rest) >= 36:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(rest[:16])).Unmap(), binary.BigEndian.Uint16(rest[32:])), nil
	case family == v2UnixSock && len(rest) >= 216, family == v2Unspec:
		return netip.AddrPort{}, nil
	}
	return netip.AddrPort{}, errHeader
}
