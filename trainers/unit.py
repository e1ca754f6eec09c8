"""UNIT (Liu, Breuel and Kautz, NeurIPS 2017, arXiv:1703.00848).

Lab note, one core of an AMD EPYC without GPU; more in docs/domains.md:

    python -m trainers.unit --dataset=mnist --dataset_b='mnist[outline]' --epochs=3
        --train_split='train[:20000]'
        155 s, seed 0, 3,750 steps: error to the truth, ratio 0.34 to outlines and 0.48 back;
        untranslated 0.79 both ways
    python -m trainers.unit --dataset=digits --dataset_b=mnist --epochs=24
        156 s, seed 0, 3,840 steps: digits kept 89.8 % of 500 test images, untranslated 89.0 %;
        taken for the target 99.4 % and 88.4 %, real images 98.2 % and 99.6 %
"""

import dataclasses

from trainers import cyclegan
from trainers.runs.run import main

# The authors' code halves the rate every 100,000 steps.
RECIPE = dataclasses.replace(cyclegan.RECIPE, method="unit", without_effect=("latent_dim",))

if __name__ == "__main__":
    main(RECIPE)
