/** By whom and when a picture was taken, as far as its file says. */
export interface Shot {
  /** Make and model. */
  readonly camera: string;
  /** Local time in ISO 8601 without zone, as precise as known. */
  readonly takenAt: string;
  /** The tag that says so; times of different tags are not compared. */
  readonly from: string | null;
}

interface ShotMetadata {
  readonly camera_make: string | null;
  readonly camera_model: string | null;
  readonly taken_at: string | null;
  readonly taken_at_from: string | null;
}

/** Undefined without a camera, or without a time of day. */
export function shotOf(metadata: ShotMetadata | undefined): Shot | undefined {
  if (metadata === undefined) return undefined;
  const { camera_make: make, camera_model: model, taken_at: takenAt } = metadata;
  if (make === null && model === null || takenAt === null || !takenAt.includes("T")) {
    return undefined;
  }
  return { camera: `${make ?? ""} ${model ?? ""}`, takenAt, from: metadata.taken_at_from };
}

/**
 * Whether two pictures are certainly two shots: the same tag says another time, or another camera. A
 * time that is less precise than the other agrees with it as far as it goes.
 */
export function areDifferentShots(one: Shot | undefined, other: Shot | undefined): boolean {
  if (one === undefined || other === undefined || one.from !== other.from) return false;
  if (one.camera !== other.camera) return true;
  return !one.takenAt.startsWith(other.takenAt) && !other.takenAt.startsWith(one.takenAt);
}

/** One picture of a group, and which same picture it is of. */
export interface BurstMember {
  readonly shot: Shot | undefined;
  /** Copies of one shot have the same. */
  readonly picture: string;
}

/**
 * Which pictures of a group were taken in one go: by the same camera, and within so many seconds of
 * another picture of the group that is not a copy of them.
 */
export function burstOf(members: readonly BurstMember[], burstSeconds: number): boolean[] {
  const inBurst = members.map(() => false);
  for (const indices of byCamera(members)) {
    for (let at = 1; at < indices.length; at++) {
      // Copies of one shot lie next to each other, so those before them are looked at as well.
      for (let before = at - 1; before >= 0; before--) {
        const [i, j] = [indices[before]!, indices[at]!];
        if (secondsOf(members[j]!) - secondsOf(members[i]!) > burstSeconds) break;
        if (members[i]!.picture === members[j]!.picture) continue;
        inBurst[i] = inBurst[j] = true;
        break;
      }
    }
  }
  spreadToCopies(members, inBurst);
  return inBurst;
}

/** Indices of the members with a shot, one list a camera, by time. */
function byCamera(members: readonly BurstMember[]): number[][] {
  const cameras = new Map<string, number[]>();
  members.forEach(({ shot }, index) => {
    if (shot === undefined) return;
    const indices = cameras.get(shot.camera);
    if (indices === undefined) cameras.set(shot.camera, [index]);
    else indices.push(index);
  });
  const byTime = (i: number, j: number) => secondsOf(members[i]!) - secondsOf(members[j]!) || i - j;
  return [...cameras.values()].map((indices) => indices.sort(byTime));
}

/** A copy of a shot of the burst is of the burst. */
function spreadToCopies(members: readonly BurstMember[], inBurst: boolean[]): void {
  const pictures = new Set(members.filter((_, at) => inBurst[at]).map(({ picture }) => picture));
  members.forEach(({ picture }, at) => inBurst[at] ||= pictures.has(picture));
}

/** Seconds since 1970 as if the local time were UTC. */
function secondsOf({ shot }: BurstMember): number {
  const time = shot!.takenAt;
  const milliseconds = Date.parse(`${time.length === 16 ? `${time}:00` : time}Z`);
  return Number.isNaN(milliseconds) ? Infinity : milliseconds / 1000;
}
