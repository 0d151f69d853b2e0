import type { Drawing, Scene } from "../scene.ts";
import type { DrawingName, SceneName } from "../picture.ts";
import { alpine } from "./alpine.ts";
import { chart } from "./chart.ts";
import { city } from "./city.ts";
import { diagram } from "./diagram.ts";
import { dunes } from "./dunes.ts";
import { fjord } from "./fjord.ts";
import { forest } from "./forest.ts";
import { hills } from "./hills.ts";
import { lake } from "./lake.ts";
import { leaf } from "./leaf.ts";
import { letter } from "./letter.ts";
import { meadow } from "./meadow.ts";
import { night } from "./night.ts";
import { oranges } from "./oranges.ts";
import { pebbles } from "./pebbles.ts";
import { sea } from "./sea.ts";
import { skyline } from "./skyline.ts";
import { wood } from "./wood.ts";

/** Everything that can be painted or drawn, by name. */
export const SCENES: Readonly<Record<SceneName, Scene> & Record<DrawingName, Drawing>> = {
  alpine,
  chart,
  city,
  diagram,
  dunes,
  fjord,
  forest,
  hills,
  lake,
  leaf,
  letter,
  meadow,
  night,
  oranges,
  pebbles,
  sea,
  skyline,
  wood,
};
