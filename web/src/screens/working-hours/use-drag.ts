/** Drawing, moving and stretching in the grid with a mouse, a pen or a finger. The draft changes when the pointer lets go. */
import { type PointerEvent as ReactPointerEvent, type RefObject, useEffect, useRef, useState } from 'react';
import { DAY, newKey, type Stretch } from './draft.ts';
import { dragged, drawn, FINE_STEP, type Grip, type Point, STEP } from './geometry.ts';

/** What would stand if the pointer let go. */
export interface Ghost {
  stretch: Stretch;
  isNew: boolean;
}

interface Drag {
  grip: Grip | 'draw';
  stretch: Stretch;
  grabbed: Point;
  moved: boolean;
}

interface Options {
  layer: RefObject<HTMLElement | null>;
  /** The weekdays of the columns, from left to right. */
  days: readonly number[];
  onDone(ghost: Ghost): void;
  /** It was pressed and not moved. */
  onPress(stretch: Stretch): void;
}

/** A finger that stays so long means to draw, not to scroll. */
const HOLD_MS = 350;
const SLOP = 6;
/** Near the edge of the window the page goes along. */
const EDGE = 56;
const ALONG = 10;

const stepOf = (event: PointerEvent) => (event.altKey || event.ctrlKey || event.metaKey ? FINE_STEP : STEP);

export function useDrag({ layer, days, onDone, onPress }: Options) {
  const [ghost, setGhost] = useState<Ghost>();
  const stop = useRef<() => void>(undefined);
  useEffect(() => () => stop.current?.(), []);

  const pointAt = ({ clientX, clientY }: { clientX: number; clientY: number }): Point => {
    const { left, top, width, height } = layer.current!.getBoundingClientRect();
    const column = Math.floor(((clientX - left) / width) * days.length);
    return {
      day: days[Math.min(Math.max(column, 0), days.length - 1)]!,
      second: ((clientY - top) / height) * DAY,
    };
  };

  function follow(down: PointerEvent, drag: Drag): void {
    let last = ghost;
    const at = (event: PointerEvent): Ghost => {
      const point = pointAt(event);
      const step = stepOf(event);
      return drag.grip === 'draw'
        ? { isNew: true, stretch: { ...drag.stretch, ...drawn(drag.grabbed, point, step) } }
        : { isNew: false, stretch: dragged(drag.stretch, drag.grip, drag.grabbed, point, step) };
    };
    const show = (next: Ghost | undefined) => {
      last = next;
      setGhost(next);
    };
    const move = (event: PointerEvent) => {
      if (event.pointerId !== down.pointerId) return;
      const far = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
      if (!drag.moved && far < SLOP) return;
      drag.moved = true;
      if (event.clientY < EDGE) window.scrollBy(0, -ALONG);
      else if (event.clientY > window.innerHeight - EDGE) window.scrollBy(0, ALONG);
      show(at(event));
    };
    const up = (event: PointerEvent) => {
      if (event.pointerId !== down.pointerId) return;
      const result = last;
      end();
      if (drag.moved && result) onDone(result);
      else if (drag.grip !== 'draw') onPress(drag.stretch);
      else if (result) onDone(result);
    };
    const key = (event: KeyboardEvent) => {
      if (event.key === 'Escape') end();
    };
    const still = (event: Event) => event.preventDefault();
    const end = () => {
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', up);
      window.removeEventListener('pointercancel', end);
      window.removeEventListener('keydown', key, true);
      window.removeEventListener('touchmove', still);
      window.removeEventListener('contextmenu', still);
      stop.current = undefined;
      show(undefined);
    };
    stop.current?.();
    stop.current = end;
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', up);
    window.addEventListener('pointercancel', end);
    window.addEventListener('keydown', key, true);
    window.addEventListener('touchmove', still, { passive: false });
    // What a finger that rests would bring up.
    if (down.pointerType === 'touch') window.addEventListener('contextmenu', still);
    if (drag.grip === 'draw' && down.pointerType !== 'mouse') show(at(down));
  }

  function begin(event: ReactPointerEvent, stretch: Stretch, grip: Grip): void {
    if (event.button !== 0) return;
    event.stopPropagation();
    const down = event.nativeEvent;
    const drag: Drag = { grip, stretch, grabbed: pointAt(event), moved: false };
    // A block may fill the screen of a phone: a finger that goes over it scrolls.
    if (grip === 'move' && down.pointerType === 'touch')
      whenHeld(
        down,
        () => follow(down, drag),
        () => onPress(stretch),
      );
    else follow(down, drag);
  }

  function beginDrawing(event: ReactPointerEvent): void {
    if (event.button !== 0) return;
    const down = event.nativeEvent;
    const grabbed = pointAt(event);
    const stretch = { key: newKey(), day: grabbed.day, start: 0, end: 0, isActive: true };
    const drag: Drag = { grip: 'draw', stretch, grabbed, moved: false };
    if (down.pointerType === 'mouse') follow(down, drag);
    else whenHeld(down, () => follow(down, drag));
  }

  return { ghost, begin, beginDrawing };
}

/** Waits whether a finger stays where it is. @param onTap it was lifted before. */
function whenHeld(down: PointerEvent, onHeld: () => void, onTap?: () => void): void {
  const away = () => {
    clearTimeout(timer);
    window.removeEventListener('pointermove', leave);
    window.removeEventListener('pointerup', lifted);
    window.removeEventListener('pointercancel', away);
  };
  const leave = (event: PointerEvent) => {
    if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > SLOP) away();
  };
  const lifted = () => {
    away();
    onTap?.();
  };
  const timer = setTimeout(() => {
    away();
    navigator.vibrate?.(15);
    onHeld();
  }, HOLD_MS);
  window.addEventListener('pointermove', leave);
  window.addEventListener('pointerup', lifted);
  window.addEventListener('pointercancel', away);
}
