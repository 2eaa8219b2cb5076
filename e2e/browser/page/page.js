// What the tests ask of a page: the meeting by the SDK, a picture for each person, and what the browser
// itself counts of the media that comes. Loaded before the SDK, to learn of its connections.

(() => {
  const connections = [];
  const sockets = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      connections.push(this);
    }

    async setRemoteDescription(description) {
      return super.setRemoteDescription(await relayed(description));
    }
  };

  /** The server's description, where there is a relay to its port with that one in the port's place, and without TCP. */
  async function relayed({ type, sdp }) {
    if (!window.relayPort) return { type, sdp };
    const lines = sdp.split('\r\n').filter((line) => !/^a=candidate:.* tcp /i.test(line));
    const candidate = /^(a=candidate:\S+ \d+ udp \d+ \S+ )(\d+)( .*)$/i;
    const changed = lines.map(async (line) => {
      const [, before, port, after] = candidate.exec(line) ?? [];
      return port ? before + (await window.relayPort(Number(port))) + after : line;
    });
    return { type, sdp: (await Promise.all(changed)).join('\r\n') };
  }

  /** What was said to the server first by each kind of connection: its offer is in it. */
  const offers = {};
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }

    send(message) {
      const text = typeof message === 'string' ? '' : new TextDecoder('latin1').decode(message);
      if (text.includes('\nm=')) offers[text.includes('a=rid:f send') ? 'send' : 'receive'] ??= message.slice();
      super.send(message);
    }
  };

  /** Has cameras and screens sent as another codec than the SDK chooses, which leaves applications no choice. */
  function prefer(mimeType) {
    const { codecs } = RTCRtpSender.getCapabilities('video');
    const isWanted = (codec) => codec.mimeType === mimeType && !/packetization-mode=0|profile-id=[1-9]/.test(codec.sdpFmtpLine);
    const wanted = codecs.find(isWanted);
    if (!wanted) throw new Error(`the browser does not send ${mimeType}`);
    const { setCodecPreferences } = RTCRtpTransceiver.prototype;
    RTCRtpTransceiver.prototype.setCodecPreferences = function (chosen) {
      const isPicture = chosen.some((codec) => codec.mimeType.startsWith('video/'));
      return setCodecPreferences.call(this, isPicture ? [wanted] : chosen);
    };
  }

  let withSound = false;
  const { mediaDevices } = navigator;
  const pickScreen = mediaDevices.getDisplayMedia.bind(mediaDevices);
  /** A browser without a head shares no sound with a screen: a tone takes its place. */
  mediaDevices.getDisplayMedia = async (wanted) => {
    const shared = await pickScreen({ ...wanted, audio: false });
    if (withSound) shared.addTrack(tone());
    return shared;
  };

  /** Whether screens are shared with their sound from now on. */
  function shareSound(wanted) {
    withSound = wanted;
  }

  /** A tone without end. */
  function tone() {
    const context = new AudioContext();
    const source = new OscillatorNode(context, { frequency: 300 });
    const sound = new MediaStreamAudioDestinationNode(context);
    source.connect(sound);
    source.start();
    const [track] = sound.stream.getAudioTracks();
    // A page may have only so many of them.
    const stop = track.stop.bind(track);
    track.stop = () => {
      stop();
      void context.close();
    };
    return track;
  }

  const live = () => connections.filter(({ connectionState }) => connectionState !== 'closed');
  let meeting;

  /** Signs in, and shows the meeting by the UI kit or bare; a codec may be preferred. Answers the ids of oneself. */
  async function signIn(options, byKit, codec) {
    if (codec) prefer(codec);
    meeting = await RealtimeKitClient.init(options);
    window.meeting = meeting;
    if (byKit) {
      await showKit();
    } else {
      const { joined } = meeting.participants;
      joined.on('participantJoined', show);
      joined.on('participantLeft', hide);
    }
    return { id: meeting.self.id, userId: meeting.self.userId };
  }

  async function showKit() {
    await import('/kit/realtimekit-ui.esm.js');
    const room = document.createElement('rtk-meeting');
    room.meeting = meeting;
    document.body.append(room);
  }

  /** All elements of a name, in shadow trees too. */
  function* elements(name, root = document) {
    for (const element of root.querySelectorAll('*')) {
      if (element.localName === name) yield element;
      if (element.shadowRoot) yield* elements(name, element.shadowRoot);
    }
  }

  /** The people that the kit shows: by id how many frames their tile's video element has been given, and whether it is seen. */
  function tiles(name = 'rtk-participant-tile') {
    return Object.fromEntries(
      [...elements(name)].map((tile) => {
        const video = tile.shadowRoot?.querySelector('video');
        const { width = 0, height = 0 } = video?.getBoundingClientRect() ?? {};
        const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
        return [tile.participant?.id, { frames, visible: width > 0 && height > 0 && !video.paused }];
      }),
    );
  }

  /** Joins; answers how long that took, in milliseconds. */
  async function join() {
    const begun = performance.now();
    await meeting.join();
    window.joinBegan = begun;
    return performance.now() - begun;
  }

  // The SDK leaves it to the application to play what it hands over.
  function show(participant) {
    const video = document.createElement('video');
    Object.assign(video, { id: `video-${participant.id}`, autoplay: true, muted: true, playsInline: true });
    video.style.cssText = 'width: 320px; height: 180px';
    document.body.append(video);
    participant.registerVideoElement(video);
    const sounds = { audio: 'audioUpdate', 'screen sound': 'screenShareUpdate' };
    for (const [what, update] of Object.entries(sounds)) {
      const audio = document.createElement('audio');
      Object.assign(audio, { id: `${what}-${participant.id}`, autoplay: true });
      document.body.append(audio);
      const listen = () => {
        const track = trackOf(participant.id, what);
        if (audio.srcObject?.getTracks()[0] === track) return;
        audio.srcObject = track ? new MediaStream([track]) : null;
      };
      participant.on(update, listen);
      listen();
    }
  }

  function hide(participant) {
    for (const what of ['video', 'audio', 'screen sound']) document.getElementById(`${what}-${participant.id}`)?.remove();
  }

  function trackOf(id, what) {
    const participant = meeting.participants.joined.get(id);
    if (what === 'audio') return participant?.audioTrack;
    if (what === 'video') return participant?.videoTrack;
    const tracks = participant?.screenShareTracks;
    return what === 'screen sound' ? tracks?.audio : tracks?.video;
  }

  /**
   * What has come of somebody's audio, video, screen or screen sound, by getStats; null while there is no track.
   * A track that begins anew counts from zero.
   */
  async function received(id, what) {
    const track = trackOf(id, what);
    if (!track) return null;
    for (const connection of live()) {
      const stats = await connection.getStats();
      for (const entry of stats.values()) {
        if (entry.type === 'inbound-rtp' && entry.trackIdentifier === track.id) {
          const codec = stats.get(entry.codecId)?.mimeType;
          const { bytesReceived: bytes, packetsReceived: packets, packetsLost: lost, framesDecoded: frames, frameWidth: width, frameHeight: height } = entry;
          const { totalAudioEnergy: energy, totalFreezesDuration: frozen, freezeCount: freezes } = entry;
          return { track: track.id, bytes, packets, lost, frames, width, height, energy, frozen, freezes, mid: entry.mid, codec };
        }
      }
    }
    return null;
  }

  /** What this page sends: the outgoing streams by getStats. */
  async function sent() {
    const entries = [];
    for (const connection of live()) {
      const stats = await connection.getStats();
      for (const entry of stats.values()) {
        if (entry.type === 'outbound-rtp') {
          const codec = stats.get(entry.codecId)?.mimeType;
          const { kind, rid, mid, active, bytesSent, framesEncoded, frameWidth, qualityLimitationReason, targetBitrate } = entry;
          entries.push({ kind, rid, mid, active, bytesSent, framesEncoded, frameWidth, qualityLimitationReason, codec, targetBitrate });
        }
      }
    }
    return entries;
  }

  /** Milliseconds from the call of join until the first frame of somebody is decoded. */
  async function firstFrame(id) {
    for (;;) {
      const video = await received(id, 'video');
      if (video?.frames > 0) return performance.now() - window.joinBegan;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  const watched = {};

  /** Watches from now on how long somebody's picture stands still. */
  function watchGaps(id) {
    const video = document.getElementById(`video-${id}`);
    const known = { longest: 0, last: performance.now() };
    watched[id] = known;
    const frame = (now) => {
      if (watched[id] !== known) return;
      known.longest = Math.max(known.longest, now - known.last);
      known.last = now;
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  }

  /** The longest time between two shown frames of those or of anybody since then, the present one included, in milliseconds. */
  function longestGap(ids = Object.keys(watched)) {
    return Math.max(...ids.map((id) => Math.max(watched[id].longest, performance.now() - watched[id].last)));
  }

  const SILENCE_POLL_MS = 100;
  const silence = { longest: 0, now: 0 };

  /**
   * Watches from now on how long no packet of somebody's sound comes. Of the time in which this page itself stands
   * still only two polls count.
   */
  async function watchSilence(id) {
    let [packets, last] = [0, performance.now()];
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, SILENCE_POLL_MS));
      const sound = await received(id, 'audio');
      const passed = Math.min(performance.now() - last, 2 * SILENCE_POLL_MS);
      last = performance.now();
      silence.now = sound && sound.packets !== packets ? 0 : silence.now + passed;
      silence.longest = Math.max(silence.longest, silence.now);
      packets = sound?.packets;
    }
  }

  /** The longest time without a packet of sound since then, in milliseconds. */
  function longestSilence() {
    return silence.longest;
  }

  /** Speaks without end: a tone in place of the microphone. */
  async function speak() {
    await meeting.self.enableAudio(tone());
  }

  /**
   * Has the server drop a connection, `send` or `receive`, of which the SDK learns nothing: it gets the offer of
   * a new one, which takes the place of the one before, and the answer is to a request that the SDK does not wait for.
   */
  function dropConnection(direction) {
    sockets.at(-1).send(offers[direction]);
  }

  /** How many packets of sound this page has sent. */
  async function soundSent() {
    let count = 0;
    for (const connection of live()) {
      for (const entry of (await connection.getStats()).values()) {
        if (entry.type === 'outbound-rtp' && entry.kind === 'audio') count += entry.packetsSent;
      }
    }
    return count;
  }

  /** Cuts the signalling socket as a lost network does; answers how many there have been. */
  function cutSocket() {
    sockets.at(-1).close(4999);
    return sockets.length;
  }

  /** How many connections the SDK has made. */
  function connectionsMade() {
    return connections.length;
  }

  window.test = {
    ...{ signIn, join, speak, shareSound, tiles, dropConnection, soundSent, received, sent, firstFrame },
    ...{ watchGaps, longestGap, watchSilence, longestSilence, cutSocket, connections: live, connectionsMade, sockets },
  };
})();
