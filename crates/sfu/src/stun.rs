//! The little of STUN (RFC 8489) that finding the addressee needs. Whether a message is authentic is
//! for ICE to judge.

const HEADER: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const MAGIC_COOKIE: u32 = 0x2112_A442;
const USERNAME: u16 = 0x0006;
const USERNAME_MAX: usize = 513;
const MESSAGE_INTEGRITY: u16 = 0x0008;
/// Header and hash, in bytes.
const MESSAGE_INTEGRITY_SIZE: usize = 24;
const BINDING_ERROR: u16 = 0x0111;
/// The attribute with 400, Bad Request, and no words.
const BAD_REQUEST: [u8; 8] = [0, 9, 0, 4, 0, 0, 4, 0];
const FINGERPRINT: [u8; 4] = [0x80, 0x28, 0, 4];
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// Whether the first byte says STUN (RFC 7983).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER && datagram[0] < 2
}

/// The ICE user fragment of the addressee in a binding request; none where this is not a well-formed
/// binding request with a user name.
pub fn addressee(datagram: &[u8]) -> Option<&str> {
    let half = |at: usize| Some(u16::from_be_bytes(datagram.get(at..at + 2)?.try_into().ok()?));
    if half(0)? != BINDING_REQUEST {
        return None;
    }
    let length = usize::from(half(2)?);
    let cookie = u32::from_be_bytes(datagram.get(4..8)?.try_into().ok()?);
    if cookie != MAGIC_COOKIE || !length.is_multiple_of(4) || datagram.len() != HEADER + length {
        return None;
    }
    let mut at = HEADER;
    while at < datagram.len() {
        let kind = half(at)?;
        let size = usize::from(half(at + 2)?);
        let value = datagram.get(at + 4..at + 4 + size)?;
        if kind == USERNAME {
            if size > USERNAME_MAX {
                return None;
            }
            let (ours, _) = std::str::from_utf8(value).ok()?.split_once(':')?;
            return (!ours.is_empty()).then_some(ours);
        }
        at += 4 + size.next_multiple_of(4);
    }
    None
}

/// An error response to a binding request whose integrity holds; `hmac` is HMAC-SHA1 with the password, of
/// all slices together. It is no longer than what browsers send.
pub fn refusal(request: &[u8], hmac: impl Fn(&[&[u8]]) -> [u8; 20]) -> Option<Vec<u8>> {
    addressee(request)?;
    let mut at = HEADER;
    loop {
        let attribute = request.get(at..at + 4)?;
        let kind = u16::from_be_bytes([attribute[0], attribute[1]]);
        let size = usize::from(u16::from_be_bytes([attribute[2], attribute[3]]));
        if kind == MESSAGE_INTEGRITY {
            break;
        }
        at += 4 + size.next_multiple_of(4);
    }
    let claimed = request.get(at + 4..at + MESSAGE_INTEGRITY_SIZE)?;
    // The hash is of a message that ends with it.
    let length = u16::try_from(at + MESSAGE_INTEGRITY_SIZE - HEADER).ok()?;
    let (first, rest) = (request.get(..2)?, request.get(4..at)?);
    if hmac(&[first, &length.to_be_bytes(), rest]) != claimed {
        return None;
    }
    let mut message = Vec::with_capacity(HEADER + BAD_REQUEST.len() + MESSAGE_INTEGRITY_SIZE + 8);
    message.extend(BINDING_ERROR.to_be_bytes());
    message.extend([0, 32]); // with the integrity, without the fingerprint
    message.extend(request.get(4..HEADER)?);
    message.extend(BAD_REQUEST);
    let hash = hmac(&[&message]);
    message.extend(MESSAGE_INTEGRITY.to_be_bytes());
    message.extend([0, 20]);
    message.extend(hash);
    message[3] = 40;
    let fingerprint = crc32(&message) ^ FINGERPRINT_XOR;
    message.extend(FINGERPRINT);
    message.extend(fingerprint.to_be_bytes());
    Some(message)
}

/// CRC-32 as of Ethernet.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut sum, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
        sum
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            body.extend_from_slice(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut message = Vec::new();
        message.extend(BINDING_REQUEST.to_be_bytes());
        message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        message.extend(MAGIC_COOKIE.to_be_bytes());
        message.extend([7; 12]);
        message.extend(body);
        message
    }

    /// A binding request as browsers send it, with the integrity that `hmac` gives.
    pub(crate) fn authentic(user_name: &str, hmac: impl Fn(&[&[u8]]) -> [u8; 20]) -> Vec<u8> {
        let mut message = request(&[
            (USERNAME, user_name.as_bytes()),
            (0x0024, &[1, 2, 3, 4]),
            (MESSAGE_INTEGRITY, &[0; 20]),
        ]);
        let at = message.len() - MESSAGE_INTEGRITY_SIZE;
        let hash = hmac(&[&message[..at]]);
        message[at + 4..].copy_from_slice(&hash);
        message
    }

    #[test]
    fn the_addressee_comes_first_in_the_user_name() {
        let message = request(&[(0x8022, b"soft"), (USERNAME, b"ours:theirs")]);
        assert!(is_stun(&message));
        assert_eq!(addressee(&message), Some("ours"));
    }

    #[test]
    fn what_is_not_a_whole_binding_request_has_none() {
        let message = request(&[(USERNAME, b"ours:theirs")]);
        let mut response = message.clone();
        response[0] = 1;
        let mut cookie = message.clone();
        cookie[4] = 0;
        let mut long = message.clone();
        long.push(0);
        for other in [
            response,
            cookie,
            long,
            message[..30].to_vec(),
            request(&[(USERNAME, b"no colon")]),
        ] {
            assert_eq!(addressee(&other), None);
        }
    }

    #[test]
    fn the_sum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    /// No hash, but it depends on all that it is made of.
    fn hash(payloads: &[&[u8]]) -> [u8; 20] {
        let bytes = payloads.concat();
        let mut hash = [0; 20];
        hash[..4].copy_from_slice(&crc32(&bytes).to_be_bytes());
        hash
    }

    #[test]
    fn an_authentic_request_is_refused_and_no_other() {
        let mut message = request(&[(USERNAME, b"ours:theirs"), (MESSAGE_INTEGRITY, &[0; 20])]);
        let at = message.len() - 20;
        assert_eq!(refusal(&message, hash), None, "the hash is wrong");
        let right = hash(&[&message[..at - 4]]);
        message[at..].copy_from_slice(&right);
        let refused = refusal(&message, hash).unwrap();
        assert!(refused.len() <= message.len() + 8);
        assert_eq!(refused[..2], BINDING_ERROR.to_be_bytes());
        assert_eq!(usize::from(refused[3]), refused.len() - HEADER);
        assert_eq!(refused[4..20], message[4..20], "the transaction");
        assert_eq!(refused[20..28], BAD_REQUEST);
        assert_eq!(
            refusal(&request(&[(USERNAME, b"ours:theirs")]), hash),
            None,
            "no hash"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (is_stun(&bytes), addressee(&bytes), refusal(&bytes, hash));
        }

        #[test]
        fn damaged_requests_are_read_without_panic(at in 0usize..60, value: u8, cut in 0usize..60) {
            let mut message = request(&[(0x0024, &[1, 2, 3, 4]), (USERNAME, b"ours:theirs"), (0x0008, &[0; 20])]);
            let last = message.len() - 1;
            message[at.min(last)] = value;
            message.truncate(message.len() - cut.min(last));
            let _ = (addressee(&message), refusal(&message, hash));
        }

        #[test]
        fn any_fragment_is_found_again(ours in "[a-zA-Z0-9+/]{4,32}", theirs in "[a-zA-Z0-9+/]{4,32}") {
            let name = format!("{ours}:{theirs}");
            let message = request(&[(USERNAME, name.as_bytes())]);
            prop_assert_eq!(addressee(&message), Some(ours.as_str()));
        }
    }
}
