package keystile

// abilityWords say what an ability is and what follows from each verdict.
type abilityWords struct{ title, yes, no string }

const sent = "Sent on; a wrong one is refused by the backend, which keeps the old object."

var words = [abilities]abilityWords{
	KeepsKeys: {
		"Keys",
		"Stored byte by byte: every key passes.",
		"Keys with \".\", \"..\" or empty segments are refused: it may take them for others.",
	},
	StoresOnlyWhole: {
		"Whole bodies",
		"An upload that is cut off is not stored.",
		"An upload that is cut off may be stored in part, over the object that was there. Where the backend reads trailers, or the body's digest is left to it, this is prevented; else it cannot be, and the upload's outcome is recorded as unknown.",
	},
	ChecksDigest: {
		"Digests",
		"Bodies are not hashed here: the backend refuses one that does not match its x-amz-content-sha256.",
		"Bodies with an x-amz-content-sha256 are hashed here, which costs CPU.",
	},
	ChecksMD5: {
		"Content-MD5",
		"Left to the backend, which refuses a wrong one.",
		"Verified here.",
	},
	ReadsTrailers: {
		"Trailers",
		"Bodies with a trailing checksum go on with their trailer.",
		"Bodies with a trailing checksum are verified here and go on plain, with a known length.",
	},
	ChecksCRC32:       {"CRC32", sent, notSent},
	ChecksCRC32C:      {"CRC32C", sent, notSent},
	ChecksCRC64NVME:   {"CRC64NVME", sent, notSent},
	ChecksSHA1:        {"SHA1", sent, notSent},
	ChecksSHA256:      {"SHA256", sent, notSent},
	ChecksSHA512:      {"SHA512", sent, notSent},
	ChecksXXHASH64:    {"XXHASH64", sent, notSent},
	ChecksXXHASH3:     {"XXHASH3", sent, notSent},
	ChecksXXHASH128:   {"XXHASH128", sent, notSent},
	ChecksChecksumMD5: {"MD5 as a checksum", sent, notSent},
	IfNoneMatch: {
		"If-None-Match",
		"Heeded by PutObject.",
		"A PutObject with it is refused: the backend might overwrite what it should not.",
	},
	IfMatch: {
		"If-Match",
		"Heeded by PutObject.",
		"A PutObject with it is refused: the backend might overwrite what it should not.",
	},
	ConditionalComplete: {
		"Conditional completion",
		"If-None-Match is heeded by CompleteMultipartUpload.",
		"A CompleteMultipartUpload with it is refused: the backend might overwrite what it should not.",
	},
	CompleteIfMatch: {
		"Completion if it matches",
		"If-Match is heeded by CompleteMultipartUpload.",
		"A CompleteMultipartUpload with it is refused: the backend might overwrite what it should not.",
	},
	CopyIfNoneMatch: {
		"Copy if there is none",
		"If-None-Match is heeded by CopyObject.",
		"A CopyObject with it is refused: the backend might overwrite what it should not.",
	},
	CopyIfMatch: {
		"Copy if it matches",
		"If-Match is heeded by CopyObject.",
		"A CopyObject with it is refused: the backend might overwrite what it should not.",
	},
	DeleteIfMatch: {
		"Deletion if it matches",
		"If-Match is heeded by DeleteObject.",
		"A DeleteObject with it is refused: the backend might delete what it should not.",
	},
	DeletesIfMatch: {
		"Deletions if they match",
		"The ETag of an entry is heeded by DeleteObjects.",
		"A DeleteObjects with it is refused: the backend might delete what it should not.",
	},
	VirtualHosts: {
		"Virtual-hosted names",
		"It knows a bucket by the host's name: either addressing works.",
		"Address its buckets in the path.",
	},
	NoOwnNames: {
		"Reserved names",
		"It serves nothing of its own under a reserved name. They are refused as buckets all the same.",
		"It serves something of its own under a name that could be a bucket's. Such names are refused as buckets.",
	},
	KeepsChecksums: {
		"Keeps checksums",
		"A checksum of the usual kinds in an object's header is given back: sent on also where it has to be verified here.",
		"A checksum goes on only where the backend verifies it.",
	},
}

const notSent = "Verified here and not sent on: the backend does not check it, or does not keep it."

// Title names the ability for people.
func (a Ability) Title() string { return words[a].title }

// Means tells what follows from a verdict. With forced, the admin wants every
// body verified here whatever the backend is proven to do.
func (a Ability) Means(v Verdict, forced bool) string {
	if v != Yes {
		return words[a].no
	}
	if forced {
		switch a {
		case ChecksDigest:
			return "Bodies are hashed here all the same: that is forced."
		case ChecksMD5:
			return "Verified here all the same: that is forced."
		case ReadsTrailers:
			return "Bodies with a trailing checksum are verified here, which is forced, and go on with their trailer."
		case ChecksCRC32, ChecksCRC32C, ChecksCRC64NVME, ChecksSHA1, ChecksSHA256, ChecksSHA512, ChecksChecksumMD5, ChecksXXHASH64, ChecksXXHASH3, ChecksXXHASH128:
			return "Verified here, which is forced, and sent on."
		}
	}
	return words[a].yes
}
