interface Props {
  readonly waiting: number;
  readonly onShow: () => void;
}

/** Says that a list stands still, and lets it go on. */
export function WaitingButton({ waiting, onShow }: Props) {
  if (waiting === 0) return null;
  return (
    <button type="button" className="waiting" onClick={onShow}>
      {waiting === 1 ? '1 new sighting' : `${waiting} new sightings`}
    </button>
  );
}
