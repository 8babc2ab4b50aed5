/** Which steps a move goes through, towards which end. */
import { StepState } from '../../entities/control/provisioning-run.ts';
import { MoveState, type MoveStep, type TenantMove } from '../../entities/control/tenant-move.ts';

const MOVE = ['prepare', 'create_database', 'copy', 'catch_up', 'read_only', 'verify', 'switch', 'open', 'follow_back'];
const UNDO = ['follow_back', 'undo_read_only', 'undo_verify', 'undo_switch', 'undo_open', 'remove_target'];

/** Of the states in which somebody has to work on a move. */
const STEPS: Partial<Record<MoveState, readonly string[]>> = {
  [MoveState.COPYING]: MOVE,
  [MoveState.SWITCHING]: MOVE,
  [MoveState.SWITCHED]: MOVE,
  [MoveState.FINISHING]: ['remove_source'],
  [MoveState.UNDOING]: UNDO,
  [MoveState.CANCELLING]: ['remove_target'],
};

/** The steps between which the tenant is not written, and after which its writers would be let in again where it fails. */
const WINDOW = new Set(['read_only', 'verify', 'undo_read_only', 'undo_verify']);
export const isInWindow = (step: string): boolean => WINDOW.has(step);

/** The change of the server itself, which nothing takes back but another one. */
export const isSwitch = (step: string): boolean => step === 'switch' || step === 'undo_switch';

/** After the switch: writes are let through to the new place, whether or not the former one answers. */
export const isOpening = (step: string): boolean => step === 'open' || step === 'undo_open';

/** Of the way back. */
export const isUndo = (step: string): boolean => step.startsWith('undo_');

/** The step that is to be done next; undefined when nobody has anything to do. */
export function nextStep({ state, steps }: TenantMove): MoveStep | undefined {
  const names = STEPS[state] ?? [];
  return steps.find(({ name, state }) => names.includes(name) && state !== StepState.DONE);
}

const pending = (name: string): MoveStep => ({ name, state: StepState.PENDING, attempt: 0 });

export const firstSteps = (): MoveStep[] => MOVE.map(pending);

/** Those that were begun, and those that the new end needs. */
export function stepsTowards(state: MoveState, steps: readonly MoveStep[]): MoveStep[] {
  const begun = steps.filter(({ attempt, name }) => attempt > 0 && !(STEPS[state]!.includes(name) && isUndo(name)));
  const known = new Set(begun.map(({ name }) => name));
  return [...begun, ...STEPS[state]!.filter((name) => !known.has(name)).map(pending)];
}
