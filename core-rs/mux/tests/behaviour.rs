//! What the recorded sessions do not show: time, bounds, larger windows, and what our own side does better.

use skywire_mux::frame::{ACK, FIN, HEADER_BYTES, Header, Kind, RST, SYN};
use skywire_mux::{Config, DEFAULT_WINDOW, Event, Fault, Mux, Read, Role, StreamFault};
use skywire_time::Millis;

fn client(change: impl FnOnce(&mut Config)) -> Mux {
    let mut config = Config::new(Role::Client);
    change(&mut config);
    Mux::new(config, Millis::ZERO)
}

fn frame(kind: Kind, flags: u16, stream: u32, length: u32) -> Vec<u8> {
    Header { kind, flags, stream, length }.encode().to_vec()
}

fn data(stream: u32, body: &[u8]) -> Vec<u8> {
    [frame(Kind::Data, 0, stream, body.len() as u32), body.to_vec()].concat()
}

/// All headers that wait to be sent; there must be no bodies.
fn sent(mux: &mut Mux) -> Vec<Header> {
    let mut output = vec![0; mux.output_length()];
    mux.take_output(&mut output);
    output.chunks(HEADER_BYTES).map(|header| Header::decode(header.try_into().unwrap()).unwrap()).collect()
}

fn events(mux: &mut Mux) -> Vec<Event> {
    std::iter::from_fn(|| mux.poll_event()).collect()
}

fn header(kind: Kind, flags: u16, stream: u32, length: u32) -> Header {
    Header { kind, flags, stream, length }
}

#[test]
fn a_silent_peer_loses_the_session_after_a_ping_without_answer() {
    let mut mux = client(|_| {});
    assert_eq!(mux.poll_deadline(), Some(Millis(30_000.0)));
    mux.handle_deadline(Millis(29_999.0));
    assert_eq!(mux.output_length(), 0);
    mux.handle_deadline(Millis(30_000.0));
    assert_eq!(sent(&mut mux), [header(Kind::Ping, SYN, 0, 0)]);
    mux.push(&frame(Kind::Ping, ACK, 0, 0), Millis(31_000.0));
    assert_eq!(mux.poll_deadline(), Some(Millis(61_000.0)));
    mux.handle_deadline(Millis(61_000.0));
    assert_eq!(sent(&mut mux), [header(Kind::Ping, SYN, 0, 1)]);
    assert_eq!(mux.poll_deadline(), Some(Millis(71_000.0)));
    mux.handle_deadline(Millis(71_000.0));
    assert_eq!((mux.fault(), events(&mut mux)), (Some(Fault::KeepAlive), vec![Event::Closed]));
    assert_eq!(mux.poll_deadline(), None);
}

#[test]
fn a_peer_that_is_slow_to_answer_but_sends_is_alive() {
    let mut mux = client(|_| {});
    mux.handle_deadline(Millis(30_000.0));
    mux.push(&frame(Kind::WindowUpdate, 0, 9, 0), Millis(39_000.0));
    mux.handle_deadline(Millis(40_000.0));
    assert_eq!((mux.fault(), mux.poll_deadline()), (None, Some(Millis(49_000.0))));
    mux.handle_deadline(Millis(49_000.0));
    assert_eq!(mux.fault(), Some(Fault::KeepAlive));
}

#[test]
fn pings_of_the_application_end_with_an_answer_or_a_timeout_and_are_bounded() {
    let mut mux = client(|config| config.keep_alive = false);
    assert_eq!(mux.poll_deadline(), None);
    let (first, second) = (mux.ping(Millis::ZERO).unwrap(), mux.ping(Millis(5.0)).unwrap());
    mux.push(&frame(Kind::Ping, ACK, 0, second), Millis(12.0));
    mux.push(&frame(Kind::Ping, ACK, 0, second), Millis(13.0));
    mux.handle_deadline(Millis(10_000.0));
    let expected = vec![Event::Pong { opaque: second, round_trip: Millis(7.0) }, Event::PingTimedOut(first)];
    assert_eq!((events(&mut mux), mux.fault()), (expected, None));
    assert_eq!((0..70).filter(|_| mux.ping(Millis::ZERO).is_ok()).count(), 64);
}

#[test]
fn a_stream_without_acknowledgement_is_reset_and_the_session_lives() {
    let mut mux = client(|config| config.keep_alive = false);
    let (slow, quick) = (mux.open(Millis::ZERO).unwrap(), mux.open(Millis::ZERO).unwrap());
    sent(&mut mux);
    mux.push(&frame(Kind::WindowUpdate, ACK, quick, 0), Millis(1.0));
    assert_eq!(mux.poll_deadline(), Some(Millis(75_000.0)));
    mux.handle_deadline(Millis(75_000.0));
    assert_eq!(sent(&mut mux), [header(Kind::WindowUpdate, RST, slow, 0)]);
    assert_eq!((events(&mut mux), mux.poll_deadline()), (vec![Event::Changed(slow)], None));
    assert_eq!(mux.write(slow, b"x"), Err(StreamFault::OpenTimeout));
    assert_eq!(mux.write(quick, b"x"), Ok(1));
}

#[test]
fn a_closed_stream_is_forgotten_when_the_peer_finishes_or_after_five_minutes() {
    let mut mux = client(|config| config.keep_alive = false);
    let (polite, rude) = (mux.open(Millis::ZERO).unwrap(), mux.open(Millis::ZERO).unwrap());
    for id in [polite, rude] {
        mux.push(&frame(Kind::WindowUpdate, ACK, id, 0), Millis::ZERO);
        mux.close(id, Millis(1_000.0)).unwrap();
        assert_eq!(mux.close(id, Millis(1_000.0)), Ok(()), "harmless when repeated");
    }
    sent(&mut mux);
    events(&mut mux);
    mux.push(&[data(polite, b"late"), frame(Kind::WindowUpdate, FIN, polite, 0)].concat(), Millis(2_000.0));
    assert_eq!(mux.close_write(polite), Err(StreamFault::Unknown));
    assert_eq!(mux.poll_deadline(), Some(Millis(301_000.0)));
    mux.handle_deadline(Millis(301_000.0));
    assert_eq!(sent(&mut mux), [header(Kind::WindowUpdate, RST, rude, 0)]);
    assert_eq!(mux.close_write(rude), Err(StreamFault::Unknown));
    assert_eq!((events(&mut mux), mux.poll_deadline()), (vec![], None));
}

#[test]
fn half_a_close_has_no_time_limit() {
    let mut mux = client(|config| config.keep_alive = false);
    let id = mux.open(Millis::ZERO).unwrap();
    mux.push(&frame(Kind::WindowUpdate, ACK, id, 0), Millis::ZERO);
    mux.close_write(id).unwrap();
    assert_eq!(mux.poll_deadline(), None);
    mux.push(&data(id, b"answer"), Millis(1e9));
    assert_eq!(mux.read(id, &mut [0; 10]), Ok(Read::Bytes(6)));
}

#[test]
fn a_peer_that_talks_to_a_closed_stream_is_told_by_a_reset() {
    let mut mux = client(|_| {});
    let id = mux.open(Millis::ZERO).unwrap();
    mux.close(id, Millis::ZERO).unwrap();
    sent(&mut mux);
    mux.push(&data(id, &[0; 131_072]), Millis::ZERO);
    assert_eq!(sent(&mut mux), []);
    mux.push(&data(id, &[0; 1]), Millis::ZERO);
    assert_eq!(sent(&mut mux), [header(Kind::WindowUpdate, RST, id, 0)]);
    mux.push(&data(id, &[0; 500_000]), Millis::ZERO);
    assert_eq!((mux.fault(), mux.output_length()), (None, 0), "what was on its way is dropped");
}

#[test]
fn a_larger_window_is_announced_with_the_opening_frame_and_honoured() {
    const LARGE: u32 = 1 << 20;
    let extra = LARGE - DEFAULT_WINDOW;
    let mut mux = client(|config| {
        config.receive_window = LARGE;
        config.extra_window_budget = 2 * u64::from(extra);
    });
    mux.push(&frame(Kind::WindowUpdate, SYN, 2, 0), Millis::ZERO);
    let id = mux.open(Millis::ZERO).unwrap();
    let poor = mux.open(Millis::ZERO).unwrap();
    assert_eq!(
        sent(&mut mux),
        [
            header(Kind::WindowUpdate, ACK, 2, extra),
            header(Kind::WindowUpdate, SYN, id, extra),
            header(Kind::WindowUpdate, SYN, poor, 0),
        ]
    );
    mux.push(&data(id, &vec![7; LARGE as usize]), Millis::ZERO);
    let mut into = vec![0; 600_000];
    assert_eq!(mux.read(id, &mut into[..500_000]), Ok(Read::Bytes(500_000)));
    assert_eq!(sent(&mut mux), []);
    assert_eq!(mux.read(id, &mut into), Ok(Read::Bytes(548_576)));
    assert_eq!(sent(&mut mux), [header(Kind::WindowUpdate, 0, id, 1_048_576)]);
    mux.reset(id).unwrap();
    mux.open(Millis::ZERO).unwrap();
    assert_eq!(sent(&mut mux).last().unwrap().length, extra, "the budget came back");
    mux.push(&data(poor, &vec![7; DEFAULT_WINDOW as usize + 1]), Millis::ZERO);
    assert_eq!(mux.fault(), Some(Fault::WindowOverrun));
}

#[test]
fn writes_wait_for_the_output_and_go_on_in_turn() {
    let mut mux = client(|config| config.output_limit = 1_000);
    let (first, second) = (mux.open(Millis::ZERO).unwrap(), mux.open(Millis::ZERO).unwrap());
    assert_eq!(mux.write(first, &[1; 5_000]), Ok(1_000 - 2 * HEADER_BYTES - HEADER_BYTES));
    assert_eq!(mux.write(second, &[2; 5_000]), Ok(0));
    assert_eq!(mux.write(first, &[1; 5_000]), Ok(0));
    assert_eq!(events(&mut mux), []);
    let mut out = [0; 1_000];
    assert_eq!(mux.take_output(&mut out[..499]), 499);
    assert_eq!(events(&mut mux), []);
    assert_eq!(mux.take_output(&mut out[..1]), 1);
    assert_eq!(events(&mut mux), [Event::Changed(first), Event::Changed(second)]);
}

#[test]
fn opening_waits_while_too_many_streams_are_unacknowledged() {
    let mut mux = client(|_| {});
    let ids: Vec<u32> = (0..256).map(|_| mux.open(Millis::ZERO).unwrap()).collect();
    assert_eq!(mux.open(Millis::ZERO), Err(StreamFault::WouldBlock));
    mux.push(&frame(Kind::WindowUpdate, ACK, ids[7], 0), Millis::ZERO);
    assert_eq!(events(&mut mux), [Event::Openable]);
    assert_eq!(mux.open(Millis::ZERO), Ok(513));
    assert_eq!(mux.open(Millis::ZERO), Err(StreamFault::WouldBlock));
    mux.reset(ids[9]).unwrap();
    assert_eq!(mux.open(Millis::ZERO), Ok(515));
}

#[test]
fn streams_are_bounded_on_both_sides() {
    let mut mux = client(|config| config.max_streams = 2);
    let id = mux.open(Millis::ZERO).unwrap();
    mux.push(&[frame(Kind::WindowUpdate, SYN, 2, 0), frame(Kind::WindowUpdate, SYN, 4, 0)].concat(), Millis::ZERO);
    assert_eq!(sent(&mut mux).last(), Some(&header(Kind::WindowUpdate, RST, 4, 0)));
    assert_eq!(mux.open(Millis::ZERO), Err(StreamFault::WouldBlock));
    mux.reset(id).unwrap();
    assert!(mux.open(Millis::ZERO).is_ok());
}

#[test]
fn a_stream_that_is_reset_before_it_is_accepted_leaves_nothing() {
    let mut mux = client(|config| config.max_streams = 1);
    for _ in 0..3 {
        mux.push(&[frame(Kind::Data, SYN, 2, 1), vec![5], frame(Kind::WindowUpdate, RST, 2, 0)].concat(), Millis::ZERO);
        assert_eq!(mux.accept(), None);
    }
    assert!(mux.open(Millis::ZERO).is_ok());
}

#[test]
fn a_peer_that_never_reads_our_answers_loses_the_session() {
    let mut mux = client(|_| {});
    let ping = frame(Kind::Ping, SYN, 0, 0);
    while mux.fault().is_none() {
        mux.push(&ping, Millis::ZERO);
        assert!(mux.output_length() < 700_000);
    }
    assert_eq!(mux.fault(), Some(Fault::OutputOverflow));
}

#[test]
fn stream_zero_belongs_to_the_session() {
    let mut mux = client(|_| {});
    mux.push(&frame(Kind::WindowUpdate, SYN, 0, 0), Millis::ZERO);
    assert_eq!(mux.fault(), Some(Fault::StreamId));
}

#[test]
fn unread_bytes_outlive_the_session() {
    let mut mux = client(|_| {});
    let id = mux.open(Millis::ZERO).unwrap();
    mux.push(&data(id, b"last words"), Millis::ZERO);
    mux.close_session();
    let mut into = [0; 20];
    assert_eq!(mux.read(id, &mut into), Ok(Read::Bytes(10)));
    assert_eq!(mux.read(id, &mut into), Ok(Read::End));
    assert_eq!(mux.write(id, b"x"), Err(StreamFault::Session));
    assert_eq!(mux.close(id, Millis::ZERO), Ok(()));
    assert_eq!(mux.open(Millis::ZERO), Err(StreamFault::Session));
}
