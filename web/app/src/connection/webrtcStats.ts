/** What the browser reports about a WebRTC connection. */

export interface SelectedPath {
  /** `relay` if either end is a TURN server's. */
  readonly path: 'direct' | 'relay';
  readonly strategy: 'host' | 'stun' | 'turn';
}

interface CandidatePairStats {
  readonly type: string;
  readonly nominated?: boolean;
  readonly state?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly packetsSent?: number;
  readonly packetsReceived?: number;
}

/** The kind of the selected candidates. */
export async function selectedPath(connection: RTCPeerConnection): Promise<SelectedPath> {
  const report = await connection.getStats();
  const pair = selectedPair(report);
  const types = [pair?.localCandidateId, pair?.remoteCandidateId].map((id) => {
    const candidate = report.get(id ?? '') as { candidateType?: string } | undefined;
    return candidate?.candidateType ?? 'host';
  });
  if (types.includes('relay')) return { path: 'relay', strategy: 'turn' };
  return { path: 'direct', strategy: types.every((type) => type === 'host') ? 'host' : 'stun' };
}

/** Packets sent and received over the selected pair; 0 where the browser does not count them. */
export async function packetCounts(
  connection: RTCPeerConnection,
): Promise<{ sent: number; received: number }> {
  const pair = selectedPair(await connection.getStats());
  return { sent: pair?.packetsSent ?? 0, received: pair?.packetsReceived ?? 0 };
}

function selectedPair(report: RTCStatsReport): CandidatePairStats | undefined {
  const entries = [...report.values()] as CandidatePairStats[];
  const pairs = entries.filter((entry) => entry.type === 'candidate-pair' && entry.state === 'succeeded');
  return pairs.find((pair) => pair.nominated) ?? pairs[0];
}
