"""What other programs and books call things, for messages about an unknown name: `categorical_crossentropy`, `lr`, η.

Nothing here is accepted as a name: a message leads from it to the name that is known (`errors.did_you_mean`). Names are
compared without case, spaces, hyphens and underscores, and only a name that is known where it was looked for is
suggested, so one table serves losses, options, settings files and search spaces alike.
"""

import re
from collections.abc import Iterable

# The name here, and after it the names elsewhere.
SYNONYMS = {
    # losses
    "log-likelihood": "categorical_crossentropy sparse_categorical_crossentropy CrossEntropyLoss softmax_cross_entropy "
    "softmax_loss softmax_crossentropy nll nll_loss negative_log_likelihood neg_log_likelihood multinomial_loss",
    "cross-entropy": "binary_crossentropy bce bce_loss BCEWithLogitsLoss sigmoid_cross_entropy logistic log_loss "
    "logistic_loss CrossEntropyCost logloss xent",
    "quadratic": "QuadraticCost quadratic_loss squared_error sse least_squares",
    "mean-squared-error": "MSELoss mean_square_error l2_loss regression",
    # layers and activations
    "dense": "fc fully_connected full FullyConnectedLayer InnerProduct affine perceptron linear_layer dense_layer",
    "conv2d": "conv convolution Convolution2D conv_layer convolutional cnn ConvPoolLayer",
    "max-pool2d": "maxpool max_pooling MaxPooling2D pool pooling max_pool",
    "average-pool2d": "avgpool avg_pool AvgPool2d average_pool average_pooling AveragePooling2D mean_pool",
    "global-average-pool": "GlobalAveragePooling2D gap AdaptiveAvgPool2d global_avg_pool",
    "batch-norm": "BatchNormalization BatchNorm1d BatchNorm2d bn batchnorm_layer",
    "layer-norm": "LayerNormalization ln",
    "simple-rnn": "rnn recurrent vanilla_rnn ElmanRNN",
    "sigmoid": "logistic expit",
    "leaky-relu": "lrelu prelu",
    "relu": "rectifier rectified_linear ReLU6",
    "tanh": "hyperbolic_tangent",
    "step": "heaviside binary threshold",
    "linear": "none no_activation passthrough",
    "hard-sigmoid": "HardSwish",
    "sequential": "chain stack",
    "residual": "skip shortcut resnet ResidualBlock",
    "branches": "parallel concat concatenate inception",
    # initializers
    "glorot": "glorot_uniform glorot_normal xavier_uniform xavier_normal",
    "he": "he_normal he_uniform kaiming_normal kaiming_uniform msra",
    "scaled": "lecun lecun_normal lecun_uniform default_weight_initializer",
    "scaled-normal": "lecun lecun_normal lecun_uniform default_weight_initializer",
    "normal": "gaussian random_normal large_weight_initializer randn",
    "zeros": "zero",
    "constant": "ones",
    # optimizers and schedules
    "sgd": "gd gradient_descent stochastic_gradient_descent vanilla minibatch_gradient_descent",
    "nesterov": "nag nesterov_momentum nesterov_accelerated_gradient",
    "momentum": "heavy_ball sgd_momentum",
    "rmsprop": "rms",
    "adamw": "adam_weight_decay decoupled_weight_decay",
    "step-decay": "StepLR piecewise multistep MultiStepLR",
    "exponential": "ExponentialLR exponential_decay",
    "cosine": "CosineAnnealingLR cosine_annealing cosine_decay",
    "cyclic": "CyclicLR CosineAnnealingWarmRestarts sgdr warm_restarts",
    "one-cycle": "OneCycleLR super_convergence",
    "halve-on-plateau": "ReduceLROnPlateau reduce_on_plateau plateau",
    "constant-rate": "ConstantLR fixed",
    # settings
    "learning-rate": "lr eta η rate step_size learn_rate learningrate alpha_rate lrate learning_rate_init base_lr",
    "batch-size": "minibatch mini_batch mini_batch_size minibatch_size batch batchsize bs batches",
    "epochs": "iterations iters n_epochs num_epochs nb_epoch epoch max_epochs steps max_iter n_iter num_iterations",
    "l2": "lmbda lambda λ weight_decay wd l2_reg l2_regularization ridge weightdecay regularization",
    "l1": "l1_reg l1_regularization lasso",
    "max-norm": "maxnorm_constraint weight_norm clip_norm",
    "loss": "cost cost_function objective criterion loss_function error_function",
    "optimizer": "optim solver optimiser algorithm",
    "schedule": "lr_schedule scheduler lr_scheduler learning_rate_schedule decay lr_decay annealing",
    "init": "initializer initialization weight_init weights_init kernel_initializer initialiser",
    "activation": "act activation_function nonlinearity non_linearity hidden_activation transfer_function",
    "dropout": "dropout_rate p_dropout drop dropout_prob keep_prob",
    "net": "sizes hidden hidden_layers hidden_layer_sizes hidden_size layer_sizes layers units neurons network "
    "model arch architecture topology",
    "layers": "hidden_layers n_layers num_layers depth",
    "width": "hidden hidden_size hidden_units units neurons n_hidden hidden_nodes",
    "network": "net model architecture",
    "data": "datasets dataset data_set source training_data input inputs dataset_name",
    "scaling": "normalize normalization normalise rescale preprocessing",
    "early-stop": "patience early_stopping no_improvement n_iter_no_change early_stopping_n",
    "monitor": "metric metrics watch_column",
    "keep": "save_best checkpoint save_best_only restore_best_weights",
    "augment": "augmentation augmentations data_augmentation transform transforms",
    "averaging": "average swa ema polyak",
    "seed": "random_seed random_state rng manual_seed",
    "run": "output out save save_dir folder dir output_dir logdir log_dir name",
    "out": "output save save_to file path result",
    "from": "finetune fine_tune pretrained load weights start checkpoint init_from continue",
    "start": "finetune fine_tune pretrained init_from",
    "from-file": "config config_file settings yaml toml",
    "resume": "continue restart",
    "workers": "jobs n_jobs processes threads num_workers parallel",
    "device": "gpu cuda",
    "engine": "backend framework",
    "evaluate-train": "monitor_training_accuracy train_metrics",
    "split": "validation_split valid_split train_test_split",
    "train-size": "n_train training_size samples limit n_samples subset size num_train",
    "digits": "classes only sklearn scikit_learn sklearn_digits load_digits optdigits",
    "space": "grid params param_grid param_distributions vary",
    "trials": "n_trials n_iter budget",
    "gradient": "grad backprop",
    "label-smoothing": "smoothing",
    "beta1": "beta b1",
    "kernel-size": "filter_size kernel kernels filter",
    "filters": "out_channels channels n_filters",
    "out-features": "units neurons nodes n_out out size features output_size",
    "rate": "p prob probability dropout_rate",
    # columns of a history
    "valid_accuracy": "accuracy acc val_accuracy val_acc validation_accuracy valid_acc accuracy_val",
    "valid_loss": "val_loss loss validation_loss loss_val cost",
    "train_loss": "training_loss loss cost training_cost",
    "train_accuracy": "accuracy acc train_acc training_accuracy",
    "test_accuracy": "test_acc",
    # data sets
    "mnist": "mnist_784 digits_mnist mnist_data handwritten_digits mnist_original",
    "fashion-mnist": "fashion fmnist fashion_mnist_784 zalando",
    "kmnist": "kuzushiji kuzushiji_mnist",
    "emnist-digits": "emnist",
    # networks and recipes
    "lenet5": "lenet",
    "double-conv": "cnn convnet conv",
    "chapter1": "book nielsen first network1 network",
    "sprint": "fast quick",
    "best": "accurate full",
    # augmentations
    "rotate": "rotation RandomRotation",
    "shift": "translate translation RandomTranslation crop RandomCrop",
    "scale": "zoom RandomZoom resize",
    "elastic": "elastic_transform distortion",
    "noise": "gaussian_noise GaussianBlur",
    # searches
    "tpe": "bayes bayesian optuna bayesian_optimization",
    "random": "random_search RandomizedSearchCV",
    "cma-es": "cma cmaes evolution",
    "genetic": "ga evolutionary genetic_algorithm",
    "halving": "successive_halving sha asha median",
    "log": "loguniform log_uniform geometric",
    "integer": "randint int_uniform",
    "choice": "categorical list values options",
    # commands
    "test": "eval evaluate accuracy score validate",
    "train": "learn run start",
    "info": "show summary describe model",
    "nets": "models networks zoo list",
    "watch": "plot curves history monitor",
    "look": "inspect visualize",
    "read": "recognize ocr classify",
    "gradcheck": "check_gradients grad_check check",
    "lr-find": "lr_finder find_lr learning_rate_finder lrfind",
    "search": "tune optimize hyperparameters sweep grid_search",
    "predict": "infer inference",
}

# Where there is no such thing here, what to do instead.
INSTEAD = {
    "softmax log_softmax SoftmaxLayer": "the loss owns the softmax: use the loss log-likelihood (LogLikelihood) and no "
    "layer for it",
    "attention embedding transformer": "there is no such layer",
    "momentum mu": "it is a setting of an optimizer: --optimizer momentum:momentum=0.9",
}


def folded(name: str) -> str:
    """A name without case, spaces and punctuation: letters of any script, and digits."""
    return re.sub(r"[\W_]+", "", name.lower())


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is another spelling of, or that others call so; None if there is none."""
    here = {folded(text): text for text in known}
    wanted = folded(name)
    return here.get(wanted) or next((here[target] for target in _CALLED.get(wanted, ()) if target in here), None)


def instead(name: str) -> str | None:
    """What to do where others use `name` and there is no such thing here."""
    return _INSTEAD.get(folded(name))


_CALLED: dict[str, list[str]] = {}
for _here, _elsewhere in SYNONYMS.items():
    for _name in _elsewhere.split():
        _CALLED.setdefault(folded(_name), []).append(folded(_here))
_INSTEAD = {folded(name): hint for names, hint in INSTEAD.items() for name in names.split()}
