import type { Profile } from "./caption.ts";

/** Rooms, buildings, places. */
const space: Profile = {
  name: "space",
  prefix: "photo of {trigger}",
  slots: [
    {
      name: "viewpoint",
      about: "how the space is seen: the kind of view and from where",
      examples: ["wide view from the entrance", "close view of a window seat"],
      is_optional: false,
      max_words: 10,
    },
    {
      name: "elements",
      about: "the two or three most visible architectural elements and objects",
      examples: ["long oak tables under hanging lamps", "stone arches along a corridor"],
      is_optional: false,
      max_words: 16,
    },
    {
      name: "materials",
      about: "visible materials and colours",
      examples: ["white plaster and dark timber", "red brick with brass fittings"],
      is_optional: false,
      max_words: 12,
    },
    {
      name: "lighting",
      about: "the light: where it comes from, how it falls, time of day if visible",
      examples: ["soft daylight from high windows", "warm evening lamplight"],
      is_optional: false,
      max_words: 10,
    },
    {
      name: "activity",
      about: "people and what they do; empty when nobody is there",
      examples: ["a few students reading", "an empty room"],
      is_optional: true,
      max_words: 10,
    },
  ],
  guidance:
    "Describe this one photo of a place. Name what differs from photo to photo (viewpoint, objects, " +
    "light, people); do not name the place, its city or its architect.",
  examples: [
    "photo of ide_main_hall, wide view from the entrance, long oak tables under hanging lamps, " +
    "white plaster and dark timber, soft daylight from high windows, a few students reading",
  ],
  min_characters: 40,
  max_characters: 600,
};

/** One person. */
const person: Profile = {
  name: "person",
  prefix: "photo of {trigger}",
  slots: [
    {
      name: "framing",
      about: "how much of the person is seen, and from which side",
      examples: ["close-up portrait from the front", "full-length view from the left"],
      is_optional: false,
      max_words: 10,
    },
    {
      name: "pose",
      about: "posture and what the person is doing",
      examples: ["sitting with folded arms", "walking towards the camera"],
      is_optional: false,
      max_words: 12,
    },
    {
      name: "expression",
      about: "facial expression and gaze; empty when the face is not visible",
      examples: ["smiling slightly, looking at the camera", "serious, looking away"],
      is_optional: true,
      max_words: 10,
    },
    {
      name: "clothing",
      about: "clothing and accessories with colours",
      examples: ["a navy coat with a grey scarf", "a white shirt and round glasses"],
      is_optional: false,
      max_words: 14,
    },
    {
      name: "setting",
      about: "the place around the person",
      examples: ["in front of a brick wall", "at a desk in a bright office"],
      is_optional: false,
      max_words: 12,
    },
    {
      name: "lighting",
      about: "the light",
      examples: ["soft window light from the right", "hard midday sun"],
      is_optional: false,
      max_words: 10,
    },
  ],
  guidance:
    "Describe this one photo of a person. Name what differs from photo to photo (framing, pose, " +
    "clothing, surroundings, light). Do not describe what the person always looks like (shape of " +
    "the face, eyes, build, age, skin, hair colour): the trigger word stands for it. Do not guess " +
    "who it is.",
  examples: [
    "photo of anna_k, close-up portrait from the front, resting her chin on one hand, smiling " +
    "slightly, a navy coat with a grey scarf, in front of a brick wall, soft window light",
  ],
  min_characters: 40,
  max_characters: 600,
};

export const profiles = { space, person } as const;

export type ProfileName = keyof typeof profiles;
