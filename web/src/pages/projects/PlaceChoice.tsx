import { Radio, Stack } from '@mantine/core';

import { type Place, places } from './words';

interface PlaceChoiceProps {
  place: Place;
  onPlace: (place: Place) => void;
  fault: string | undefined;
}

/** What somebody can be in a project, with what that means. */
export function PlaceChoice({ place, onPlace, fault }: PlaceChoiceProps) {
  return (
    <Radio.Group label="Role" value={place} onChange={(value) => onPlace(value)} error={fault}>
      <Stack gap={6} mt={4}>
        {places.map(({ value, label, may }) => <Radio key={value} size="sm" value={value} label={label} description={may} />)}
      </Stack>
    </Radio.Group>
  );
}
